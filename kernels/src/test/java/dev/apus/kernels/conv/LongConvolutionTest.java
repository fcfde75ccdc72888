package dev.apus.kernels.conv;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.kernels.Guarded;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.VectorApi;
import dev.apus.kernels.conv.LongConvolution.Filter;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

class LongConvolutionTest {

  private static final int BLOCK = LongConvolution.BLOCK;

  @ParameterizedTest(name = "{0} channels, {1} taps, {2} tokens")
  @CsvSource({
    "1, 200, 200",
    "15, 300, 300",
    "16, 64, 200",
    "17, 65, 260",
    "37, 130, 400",
    "5, 1, 130"
  })
  void agreesWithTheDefinition(int channels, int length, int tokens) {
    Kernels vector = VectorApi.kernels();
    var problem = new Problem(channels, length, tokens);
    Result expected = problem.run(Kernels.scalar(), tokens);
    Result actual = problem.run(vector, tokens);
    assertSameBits(expected.y, actual.y, "y");
    assertArrayEquals(expected.recent, actual.recent, "the recent block");
    assertTrue(Arrays.deepEquals(expected.past, actual.past), "the spectra");
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void followsTheFormula(Kernels kernels) {
    for (int length : new int[] {1, 63, 64, 65, 127, 128, 129, 400}) {
      var problem = new Problem(21, length, 400);
      Result result = problem.run(kernels, 400);
      assertGuardsHold(result.y);
      for (int t = 0; t < 400; t++) {
        for (int c = 0; c < 21; c++) {
          double sum = (double) problem.skip[c] * problem.input(t, c);
          double reach = 0;
          for (int s = 0; s <= t; s++) {
            double tap = s < length ? problem.taps[s * 21 + c] : 0;
            sum += tap * problem.input(t - s, c);
            reach += 1e-3 + tap * tap;
          }
          double tolerance = 16 * 0x1p-23 * Math.sqrt(reach) * Math.sqrt(t + 1);
          assertEquals(sum, result.y[AT + t * problem.stride + c], tolerance + 1e-6);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void aSequenceMayBeCutAnywhere(Kernels kernels) {
    int tokens = 3 * BLOCK + 5;
    var problem = new Problem(19, 150, tokens);
    Result whole = problem.run(kernels, tokens);
    for (int cut : new int[] {1, 2, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK, tokens - 1}) {
      Result parts = problem.run(kernels, cut);
      assertSameBits(whole.y, parts.y, "cut at " + cut);
      assertArrayEquals(whole.recent, parts.recent, "cut at " + cut);
    }
  }

  /** Not even an infinite one. */
  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void aTokenLeavesNoTraceInEarlierOutputs(Kernels kernels) {
    int tokens = 3 * BLOCK;
    var problem = new Problem(19, 150, tokens);
    Result before = problem.run(kernels, tokens);
    int changed = BLOCK + 7;
    problem.x[AT + changed * problem.stride + 3] = Float.POSITIVE_INFINITY;
    Result after = problem.run(kernels, tokens);
    int earlier = AT + changed * problem.stride;
    assertSameBits(
        Arrays.copyOf(before.y, earlier), Arrays.copyOf(after.y, earlier), "outputs before");
  }

  private record Result(float[] y, float[] recent, float[][] past) {}

  private static final class Problem {

    private final int channels;
    private final int length;
    private final int tokens;
    private final int stride;
    private final float[] taps;
    private final float[] skip;
    private final float[] x;

    Problem(int channels, int length, int tokens) {
      var random = new SplittableRandom(1000L * channels + length);
      this.channels = channels;
      this.length = length;
      this.tokens = tokens;
      this.stride = channels + 3;
      this.taps = new float[length * channels];
      for (int i = 0; i < taps.length; i++) {
        taps[i] = random.nextFloat(-1, 1);
      }
      this.skip = new float[channels];
      for (int i = 0; i < channels; i++) {
        skip[i] = random.nextFloat(-1, 1);
      }
      this.x = Guarded.normal(random, tokens * stride);
    }

    float input(int t, int c) {
      return x[AT + t * stride + c];
    }

    /** Runs in two calls, and each in two ranges of groups. */
    Result run(Kernels kernels, int cut) {
      LongConvolution convolution = kernels.longConvolution();
      Filter filter = convolution.filter(channels, length, taps, skip);
      int floats = filter.groups() * LongConvolution.GROUP_FLOATS;
      float[] y = Guarded.poisoned(tokens * stride);
      float[][] past = new float[tokens / BLOCK][floats + 5];
      float[] scratch = new float[2 * LongConvolution.GROUP_FLOATS];
      Arrays.fill(scratch, Float.NaN);
      try (Arena arena = Arena.ofConfined()) {
        MemorySegment recent = arena.allocate(4L * (floats + 1));
        for (int[] part : new int[][] {{0, cut}, {cut, tokens}}) {
          int half = filter.groups() / 2;
          for (int[] range : new int[][] {{half, filter.groups()}, {0, half}}) {
            int at = AT + part[0] * stride;
            convolution.convolve(
                filter,
                range[0],
                range[1],
                part[0],
                part[1] - part[0],
                x,
                at,
                stride,
                recent,
                4,
                past,
                5,
                y,
                at,
                stride,
                scratch);
          }
        }
        return new Result(y, recent.toArray(JAVA_FLOAT), past);
      }
    }
  }
}
