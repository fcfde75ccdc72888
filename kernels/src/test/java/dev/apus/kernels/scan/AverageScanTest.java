package dev.apus.kernels.scan;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import dev.apus.kernels.memory.MatrixMemory.Rows;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

class AverageScanTest {

  private static final int TOKENS = 9;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 63, 64, 65, 130, 200})
  void agreesWithTheDefinition(int channels) {
    for (float size : new float[] {1, 60, 1000}) {
      var problem = new Problem(channels, size);
      var expected = problem.run(Kernels.scalar(), channels, TOKENS);
      var actual = problem.run(VectorApi.kernels(), channels, TOKENS);
      assertSameBits(expected.o, actual.o, channels + " channels");
      assertSameBits(expected.state, actual.state, channels + " channels: the state");
    }
  }

  /** Each output is the weighted mean of all values so far, also where no weight is a float. */
  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void isTheAverageOfAllTokens(Kernels kernels) {
    for (float size : new float[] {1, 60, 1000}) {
      var problem = new Problem(77, size);
      var result = problem.run(kernels, problem.channels, TOKENS);
      assertGuardsHold(result.o);
      for (int c = 0; c < problem.channels; c++) {
        for (int t = 0; t < TOKENS; t++) {
          double[] exponents = new double[t + 1];
          for (int s = 0; s <= t; s++) {
            double fade = s == t ? problem.u[c] : (t - 1 - s) * (double) problem.w[c];
            exponents[s] = problem.key(s, c) + fade;
          }
          double most = Arrays.stream(exponents).max().orElseThrow();
          double sum = 0;
          double weights = 0;
          double reach = 0;
          for (int s = 0; s <= t; s++) {
            double weight = Math.exp(exponents[s] - most);
            sum += weight * problem.value(s, c);
            weights += weight;
            reach = Math.max(reach, Math.abs(problem.value(s, c)));
          }
          // A weight is off by the roundings of its exponent, one for each token, and of what
          // multiplies it.
          double exponent = 2 * size + TOKENS * (double) Math.abs(problem.w[c]);
          double tolerance = (t + 2) * (exponent + 6) * 0x1p-23 * reach;
          assertEquals(
              sum / weights, result.o[AT + t * problem.stride + c], tolerance, "token " + t);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void aSequenceMayBeCutAnywhereAndItsChannelsTakenInAnyRanges(Kernels kernels) {
    var problem = new Problem(77, 3);
    var whole = problem.run(kernels, problem.channels, TOKENS);
    for (int range : new int[] {1, 5, 16, 20, 64, 76}) {
      for (int cut = 1; cut < TOKENS; cut++) {
        var parts = problem.run(kernels, range, cut);
        assertSameBits(whole.o, parts.o, "ranges of " + range + ", cut at " + cut);
        assertSameBits(whole.state, parts.state, "ranges of " + range + ": the state");
      }
    }
  }

  private record Result(float[] o, float[] state) {}

  /** Random keys and values, the rows further apart than they are long. */
  private static final class Problem {
    final int channels;
    final int stride;
    final float[] w;
    final float[] u;
    final float[] k;
    final float[] v;

    /** Keys and what is added to the newest are up to {@code size}. */
    Problem(int channels, float size) {
      var random = new SplittableRandom(channels);
      this.channels = channels;
      this.stride = channels + 3;
      this.w = new float[channels];
      this.u = new float[channels];
      for (int c = 0; c < channels; c++) {
        w[c] = -(float) Math.exp(random.nextDouble(-6, 3));
        u[c] = random.nextFloat(-size, size);
      }
      this.k = rows(random, size);
      this.v = rows(random, 2);
    }

    /** Values between which guards stand. */
    private float[] rows(SplittableRandom random, float size) {
      float[] data = Guarded.poisoned(TOKENS * stride);
      for (int row = 0; row < TOKENS; row++) {
        for (int c = 0; c < channels; c++) {
          data[AT + row * stride + c] = random.nextFloat(-size, size);
        }
      }
      return data;
    }

    double key(int t, int c) {
      return k[AT + t * stride + c];
    }

    double value(int t, int c) {
      return v[AT + t * stride + c];
    }

    /** Scans so many channels at a time, last channels first, and all of them in two runs. */
    Result run(Kernels kernels, int range, int cut) {
      float[] o = Guarded.poisoned(TOKENS * stride);
      float[] after = Guarded.poisoned(AverageScan.STATE * channels);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment memory = arena.allocate(4L * after.length);
        MemorySegment.copy(MemorySegment.ofArray(after), 0, memory, 0, memory.byteSize());
        memory.asSlice(4L * AT, 4L * AverageScan.STATE * channels).fill((byte) 0);
        for (int last = channels; last > 0; last -= range) {
          int first = Math.max(0, last - range);
          step(kernels, first, last, 0, cut, o, memory);
          step(kernels, first, last, cut, TOKENS - cut, o, memory);
        }
        MemorySegment.copy(memory, 0, MemorySegment.ofArray(after), 0, memory.byteSize());
      }
      assertGuardsHold(after);
      return new Result(o, after);
    }

    private void step(
        Kernels kernels,
        int first,
        int last,
        int from,
        int tokens,
        float[] o,
        MemorySegment memory) {
      int at = AT + from * stride;
      kernels
          .averageScan()
          .scan(
              first,
              last,
              channels,
              tokens,
              w,
              u,
              new Rows(k, at, stride),
              new Rows(v, at, stride),
              new Rows(o, at, stride),
              memory,
              4L * AT);
    }
  }
}
