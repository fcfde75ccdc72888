package dev.apus.kernels.scan;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class GatedScanTest {

  private static final int TOKENS = 9;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 130, 200})
  void agreesWithTheDefinition(int channels) {
    for (boolean constant : new boolean[] {false, true}) {
      var problem = new Problem(channels, constant);
      var expected = problem.run(Kernels.scalar(), channels, TOKENS);
      var actual = problem.run(VectorApi.kernels(), channels, TOKENS);
      assertSameBits(expected.x, actual.x, channels + " channels");
      assertSameBits(expected.state, actual.state, channels + " channels: the state");
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void followsTheFormula(Kernels kernels) {
    for (boolean constant : new boolean[] {false, true}) {
      var problem = new Problem(77, constant);
      var result = problem.run(kernels, problem.channels, TOKENS);
      assertGuardsHold(result.x);
      for (int c = 0; c < problem.channels; c++) {
        double h = problem.state[AT + c];
        double reach = Math.abs(h);
        for (int t = 0; t < TOKENS; t++) {
          double a = problem.a[AT + (constant ? 0 : t * problem.stride) + c];
          double x = problem.x[AT + t * problem.stride + c];
          h = a * h + x;
          reach = Math.abs(a) * reach + Math.abs(x);
          // Each step rounds once, and passes on what the steps before have rounded.
          double tolerance = (t + 1) * 0x1p-23 * reach;
          assertEquals(h, result.x[AT + t * problem.stride + c], tolerance, "token " + t);
        }
        assertEquals(result.x[AT + (TOKENS - 1) * problem.stride + c], result.state[AT + c]);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void aSequenceMayBeCutAnywhereAndItsChannelsTakenInAnyRanges(Kernels kernels) {
    var problem = new Problem(77, false);
    var whole = problem.run(kernels, problem.channels, TOKENS);
    for (int range : new int[] {1, 5, 16, 20, 64, 76}) {
      for (int cut = 1; cut < TOKENS; cut++) {
        var parts = problem.run(kernels, range, cut);
        assertSameBits(whole.x, parts.x, "ranges of " + range + ", cut at " + cut);
        assertSameBits(whole.state, parts.state, "ranges of " + range + ": the state");
      }
    }
  }

  private record Result(float[] x, float[] state) {}

  /** Random factors, inputs and state, the rows further apart than they are long. */
  private static final class Problem {
    final int channels;
    final boolean constant;
    final int stride;
    final float[] a;
    final float[] x;
    final float[] state;

    Problem(int channels, boolean constant) {
      var random = new SplittableRandom(channels);
      this.channels = channels;
      this.constant = constant;
      this.stride = channels + 3;
      this.a = rows(random, constant ? 1 : TOKENS);
      this.x = rows(random, TOKENS);
      this.state = Guarded.normal(random, channels);
    }

    /** Values between which guards stand. */
    private float[] rows(SplittableRandom random, int rows) {
      float[] data = Guarded.poisoned(rows * stride);
      for (int row = 0; row < rows; row++) {
        for (int c = 0; c < channels; c++) {
          data[AT + row * stride + c] = random.nextFloat(-1, 1);
        }
      }
      return data;
    }

    /** Scans so many channels at a time, last channels first, and all of them in two runs. */
    Result run(Kernels kernels, int range, int cut) {
      float[] y = x.clone();
      float[] after = new float[state.length];
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment memory = arena.allocate(4L * state.length);
        MemorySegment.copy(MemorySegment.ofArray(state), 0, memory, 0, memory.byteSize());
        for (int last = channels; last > 0; last -= range) {
          int first = Math.max(0, last - range);
          step(kernels, first, last, 0, cut, y, memory);
          step(kernels, first, last, cut, TOKENS - cut, y, memory);
        }
        MemorySegment.copy(memory, 0, MemorySegment.ofArray(after), 0, memory.byteSize());
      }
      assertGuardsHold(after);
      return new Result(y, after);
    }

    private void step(
        Kernels kernels,
        int first,
        int last,
        int from,
        int tokens,
        float[] y,
        MemorySegment memory) {
      kernels
          .gatedScan()
          .scan(
              first,
              last,
              tokens,
              a,
              AT + (constant ? 0 : from * stride),
              constant ? 0 : stride,
              y,
              AT + from * stride,
              stride,
              memory,
              4L * AT);
    }
  }
}
