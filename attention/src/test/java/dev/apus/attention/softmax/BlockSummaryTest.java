package dev.apus.attention.softmax;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.attention.softmax.BlockSummary.Kind;
import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.CacheFormat;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BlockSummaryTest {

  private static final int HEADS = 2;
  private static final int KEY_DIM = 5;
  private static final int VALUE_DIM = 40;
  private static final int TOKENS = 700;

  /** However tokens come in calls, a block is what its keys and values make by the formula. */
  @ParameterizedTest
  @CsvSource({
    "1, MEANS, 1",
    "16, MEANS, 1",
    "16, MEANS, 2",
    "64, MEAN_KEY, 1",
    "64, KEY_BOUNDS, 2",
    "100, KEY_BOUNDS, 1",
    "256, MEANS, 1",
    "300, MEAN_KEY, 2",
    "512, KEY_BOUNDS, 1"
  })
  void aBlockIsMadeOfItsSlots(int slots, Kind kind, int threads) {
    Attention kernel = Kernels.chosen().attention(CacheFormat.F32);
    var layout =
        new CacheLayout(
            kernel, HEADS, HEADS, KEY_DIM, VALUE_DIM, 0, new BlockSummary(slots, kind, kernel));
    Matrix k = random(1, KEY_DIM);
    Matrix v = random(2, VALUE_DIM);
    for (int step : new int[] {TOKENS, 1, 33, 257}) {
      try (Workers workers = Workers.of(threads);
          var cache = new KeyValueCache(layout, TOKENS, null)) {
        var pass = new Pass(workers, Kernels.chosen());
        for (int at = 0; at < TOKENS; at += step) {
          cache.append(pass, k, v, at, Math.min(step, TOKENS - at));
        }
        assertEquals(TOKENS / slots, cache.summaries().length());
        for (int block = 0; block < TOKENS / slots; block++) {
          for (int head = 0; head < HEADS; head++) {
            check(cache.summaries(), kind, k, v, block, slots, head);
          }
        }
      }
    }
  }

  private static void check(
      KeyValueCache blocks, Kind kind, Matrix k, Matrix v, int block, int slots, int head) {
    CacheLayout layout = blocks.layout();
    Piece piece = blocks.stored(head).piece(block / Attention.SPAN);
    float[] key = new float[layout.keyDim()];
    float[] value = new float[layout.valueDim()];
    layout.kernel().loadKeys(piece.keys(), piece.keysAt(), key.length, block, key, 0);
    layout.kernel().loadValues(piece.values(), piece.valuesAt(), value.length, block, value, 0);
    float[] exactKey = new float[key.length];
    for (int d = 0; d < KEY_DIM; d++) {
      if (kind == Kind.KEY_BOUNDS) {
        exactKey[d] = -extreme(k, block * slots, slots, head * KEY_DIM + d, -1);
        exactKey[KEY_DIM + d] = extreme(k, block * slots, slots, head * KEY_DIM + d, 1);
      } else {
        exactKey[d] = mean(k, block * slots, slots, head * KEY_DIM + d);
      }
    }
    assertArrayEquals(exactKey, key, 1e-7f);
    assertEquals(kind == Kind.MEANS ? VALUE_DIM : 0, value.length);
    for (int d = 0; d < value.length; d++) {
      assertEquals(mean(v, block * slots, slots, head * VALUE_DIM + d), value[d], 1e-7f);
    }
  }

  private static float extreme(Matrix x, int row, int rows, int col, int sign) {
    float extreme = Float.NEGATIVE_INFINITY;
    for (int i = row; i < row + rows; i++) {
      extreme = Math.max(extreme, sign * x.data()[x.at(i) + col]);
    }
    return extreme;
  }

  private static float mean(Matrix x, int row, int rows, int col) {
    double sum = 0;
    for (int i = row; i < row + rows; i++) {
      sum += x.data()[x.at(i) + col];
    }
    return (float) (sum / rows);
  }

  private static Matrix random(long seed, int dim) {
    var random = new SplittableRandom(seed);
    Matrix x = Matrix.zeros(TOKENS, HEADS * dim);
    for (int i = 0; i < x.data().length; i++) {
      x.data()[i] = (float) random.nextGaussian();
    }
    return x;
  }
}
