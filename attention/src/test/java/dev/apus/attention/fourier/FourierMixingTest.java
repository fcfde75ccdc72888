package dev.apus.attention.fourier;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.model.RecurrentState;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Mixing by Fourier transforms against its formula, in double precision. */
class FourierMixingTest {

  private static final int[] LENGTHS = {1, 2, 3, 7, 12, 31, 64, 53, 90};

  /** Widths of one number, of primes, of powers, of more than a group of lanes. */
  @ParameterizedTest
  @ValueSource(ints = {1, 2, 5, 12, 37, 64})
  void isWhatTheFormulaSays(int width) {
    try (var bench = bench(Map.of(), width)) {
      for (int tokens : LENGTHS) {
        double[][] x = bench.tokens(tokens, 5);
        assertClose(x, tokens, bench.run(bench.state(tokens), x, 0));
      }
    }
  }

  @Test
  void aTextMayBeFilledUpWithZeros() {
    try (var bench = bench(Map.of("padded", 90), 12)) {
      for (int tokens : LENGTHS) {
        double[][] x = bench.tokens(tokens, 5);
        assertClose(x, 90, bench.run(bench.state(tokens), x, 0));
      }
      var e = assertThrows(IllegalArgumentException.class, () -> bench.state(91).close());
      assertEquals("a text of 91 tokens; fourier fills up to padded=90", e.getMessage());
    }
  }

  @Test
  void neitherKernelsNorThreadsNorNeighboursShow() {
    new MixerLaws(new FourierMixing.Type(), Map.of(), 37)
        .neitherKernelsNorThreadsNorNeighboursShow();
    new MixerLaws(new FourierMixing.Type(), Map.of("padded", 200), 8)
        .neitherKernelsNorThreadsNorNeighboursShow();
  }

  private static MixerBench<RecurrentState> bench(Map<String, Object> settings, int width) {
    return new MixerBench<>(new FourierMixing.Type(), settings, width);
  }

  private static void assertClose(double[][] x, int length, float[][] y) {
    int width = x[0].length;
    // Inputs have a spread of one, so outputs have the root of their number.
    double tolerance = 2e-6 * Math.sqrt(x.length * width);
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < width; c++) {
        double sum = 0;
        for (int s = 0; s < x.length; s++) {
          for (int d = 0; d < width; d++) {
            double turns = (double) c * d / width + (double) t * s / length;
            sum += x[s][d] * Math.cos(2 * Math.PI * turns);
          }
        }
        assertEquals(sum, y[t][c], tolerance, x.length + " tokens, token " + t + ", value " + c);
      }
    }
  }
}
