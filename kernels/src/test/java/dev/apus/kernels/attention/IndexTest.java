package dev.apus.kernels.attention;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import dev.apus.kernels.attention.Attention.IndexQuery;
import dev.apus.kernels.attention.Attention.Piece;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** The scores of an index, both ways and against the formula. */
class IndexTest {

  /** Heads, dim, the first slot and the one after the last, of a span. */
  static Stream<Arguments> cases() {
    return Stream.of(
        of(1, 1, 0, 1),
        of(1, 7, 3, 63),
        of(3, 5, 0, 64),
        of(4, 32, 63, 65),
        of(9, 33, 17, 200),
        of(8, 128, 64, 256),
        of(64, 16, 0, 255),
        of(5, 40, 256, 300));
  }

  private static float[] run(
      Attention attention, int heads, int dim, int from, int to, float[] q, float[] w, float[] k) {
    float[] scores = Guarded.poisoned(to - from);
    int base = from / Attention.SPAN * Attention.SPAN;
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment keys = arena.allocate(4 + attention.keyBytes(dim, Attention.SPAN));
      keys.fill((byte) -1);
      long keysAt = 4 - attention.keyBytes(dim, base);
      for (int slot = from; slot < to; slot++) {
        attention.storeKeys(k, AT + (slot - from) * dim, dim, keys, keysAt, slot);
      }
      float[] scratch = new float[attention.indexFloats(heads)];
      Arrays.fill(scratch, Float.NaN);
      attention.index(
          new IndexQuery(q, AT, heads, dim, w, AT),
          new Piece(keys, keysAt, null, 0),
          from,
          to,
          scores,
          AT,
          scratch);
    }
    assertGuardsHold(scores);
    return scores;
  }

  @ParameterizedTest
  @MethodSource("cases")
  void followsTheFormulaWithTheSameBits(int heads, int dim, int from, int to) {
    var random = new SplittableRandom(heads * 1000L + dim);
    float[] q = Guarded.normal(random, heads * dim);
    float[] w = Guarded.normal(random, heads);
    float[] k = Guarded.normal(random, (to - from) * dim);
    float[] scalar =
        run(Kernels.scalar().attention(CacheFormat.F32), heads, dim, from, to, q, w, k);
    for (int i = 0; i < to - from; i++) {
      double score = 0;
      double reach = 0;
      for (int h = 0; h < heads; h++) {
        double dot = 0;
        double size = 0;
        for (int d = 0; d < dim; d++) {
          double product = (double) k[AT + i * dim + d] * q[AT + h * dim + d];
          dot += product;
          size += Math.abs(product);
        }
        score += w[AT + h] * Math.max(0, dot);
        reach += Math.abs(w[AT + h]) * size;
      }
      // Each product goes through a rounding for each that is added after it.
      assertEquals(score, scalar[AT + i], (dim + heads) * Math.ulp(1f) * reach, "slot " + i);
    }
    for (CacheFormat format : List.of(CacheFormat.F32, CacheFormat.BF16)) {
      assertSameBits(
          run(Kernels.scalar().attention(format), heads, dim, from, to, q, w, k),
          run(VectorApi.kernels().attention(format), heads, dim, from, to, q, w, k),
          format.name());
    }
  }

  @Test
  void whatIsNotANumberIsNotHidden() {
    for (Kernels kernels : VectorApi.sets().toList()) {
      float[] k = Guarded.normal(new SplittableRandom(5), 4 * 3);
      k[AT + 3 + 1] = Float.NaN;
      float[] ones = new float[AT + 6];
      Arrays.fill(ones, 1);
      float[] scores = run(kernels.attention(CacheFormat.F32), 2, 3, 0, 4, ones, ones, k);
      for (int i = 0; i < 4; i++) {
        assertEquals(i == 1, Float.isNaN(scores[AT + i]), kernels.name());
      }
      assertTrue(scores[AT] >= 0, kernels.name());
    }
  }
}
