package dev.apus.kernels.conv;

import static dev.apus.kernels.Guarded.AT;
import static dev.apus.kernels.Guarded.assertGuardsHold;
import static dev.apus.kernels.Guarded.assertSameBits;
import static java.lang.foreign.ValueLayout.JAVA_FLOAT;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
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

class ShortConvolutionTest {

  private static final int TOKENS = 6;

  @ParameterizedTest
  @ValueSource(ints = {1, 2, 3, 4, 5, 7, 8, 15, 16, 17, 31, 33, 64, 65, 100, 530})
  void agreesWithTheDefinition(int channels) {
    Kernels vector = VectorApi.kernels();
    for (int taps = 1; taps <= 5; taps++) {
      var problem = new Problem(taps, channels);
      var expected = problem.run(Kernels.scalar(), TOKENS);
      var actual = problem.run(vector, TOKENS);
      assertSameBits(expected.y, actual.y, taps + " taps");
      assertArrayEquals(expected.state, actual.state, taps + " taps: the state");
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void followsTheFormula(Kernels kernels) {
    int taps = 4;
    int channels = 37;
    var problem = new Problem(taps, channels);
    var result = problem.run(kernels, TOKENS);
    assertGuardsHold(result.y);
    for (int t = 0; t < TOKENS; t++) {
      for (int c = 0; c < channels; c++) {
        double sum = problem.bias[c];
        double reach = Math.abs(sum);
        for (int j = 0; j < taps; j++) {
          double term =
              (double) problem.weight[j * channels + c] * problem.input(t - taps + 1 + j, c);
          sum += term;
          reach += Math.abs(term);
        }
        // One rounding a tap, each at most half an ulp of what has been added up.
        assertEquals(sum, result.y[AT + t * problem.stride + c], taps * 0x1p-24 * reach);
      }
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void aSequenceMayBeCutAnywhereAndWorksInPlace(Kernels kernels) {
    var problem = new Problem(4, 37);
    var whole = problem.run(kernels, TOKENS);
    for (int cut = 1; cut < TOKENS; cut++) {
      var parts = problem.run(kernels, cut);
      assertSameBits(whole.y, parts.y, "cut at " + cut);
      assertArrayEquals(whole.state, parts.state, "cut at " + cut + ": the state");
    }
  }

  @ParameterizedTest
  @MethodSource("dev.apus.kernels.VectorApi#sets")
  void channelsMayBeTakenInAnyRanges(Kernels kernels) {
    var problem = new Problem(4, 37);
    var whole = problem.run(kernels, TOKENS);
    for (int range : new int[] {1, 5, 16, 20, 36}) {
      var parts = problem.runInRanges(kernels, range);
      assertSameBits(whole.y, parts.y, "ranges of " + range);
      assertArrayEquals(whole.state, parts.state, "ranges of " + range + ": the state");
    }
  }

  private record Result(float[] y, float[] state) {}

  /** Random weights, bias, state and inputs, the rows further apart than they are long. */
  private static final class Problem {
    final int taps;
    final int channels;
    final int stride;
    final float[] weight;
    final float[] bias;
    final float[] state;
    final float[] x;

    Problem(int taps, int channels) {
      var random = new SplittableRandom(100L * channels + taps);
      this.taps = taps;
      this.channels = channels;
      this.stride = channels + 3;
      this.weight = plain(random, taps * channels);
      this.bias = plain(random, channels);
      this.state = plain(random, (taps - 1) * channels);
      this.x = Guarded.poisoned(TOKENS * stride);
      for (int t = 0; t < TOKENS; t++) {
        for (int c = 0; c < channels; c++) {
          x[AT + t * stride + c] = random.nextFloat(-2, 2);
        }
      }
    }

    /** Input of token {@code t}; negative ones are in the state. */
    float input(int t, int c) {
      return t < 0 ? state[(taps - 1 + t) * channels + c] : x[AT + t * stride + c];
    }

    /** Convolves in place, in two runs. */
    Result run(Kernels kernels, int cut) {
      try (Arena arena = Arena.ofConfined()) {
        float[] y = x.clone();
        MemorySegment memory = arena.allocate(4 * (state.length + 2L));
        memory.fill((byte) -1);
        MemorySegment.copy(state, 0, memory, JAVA_FLOAT, 4, state.length);
        step(kernels, 0, cut, memory, y);
        step(kernels, cut, TOKENS - cut, memory, y);
        return new Result(y, memory.toArray(JAVA_FLOAT));
      }
    }

    private void step(Kernels kernels, int from, int tokens, MemorySegment state, float[] y) {
      step(kernels, from, tokens, 0, channels, state, y);
    }

    private void step(
        Kernels kernels,
        int from,
        int tokens,
        int first,
        int last,
        MemorySegment state,
        float[] y) {
      int at = AT + from * stride;
      kernels
          .convolution()
          .convolve(
              weight, bias, taps, channels, first, last, y, at, stride, tokens, state, 4, y, at,
              stride);
    }

    /** Convolves in place, all tokens of a few channels at a time, last channels first. */
    Result runInRanges(Kernels kernels, int range) {
      try (Arena arena = Arena.ofConfined()) {
        float[] y = x.clone();
        MemorySegment memory = arena.allocate(4 * (state.length + 2L));
        memory.fill((byte) -1);
        MemorySegment.copy(state, 0, memory, JAVA_FLOAT, 4, state.length);
        for (int last = channels; last > 0; last -= range) {
          step(kernels, 0, TOKENS, Math.max(0, last - range), last, memory, y);
        }
        return new Result(y, memory.toArray(JAVA_FLOAT));
      }
    }

    private static float[] plain(SplittableRandom random, int count) {
      float[] data = new float[count];
      for (int i = 0; i < count; i++) {
        data[i] = random.nextFloat(-1, 1);
      }
      return data;
    }
  }
}
