package dev.apus.ssm;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** The gated convolution against its formula, and the laws of its state. */
class GatedConvolutionTest {

  private static final int WIDTH = 67;
  private static final int TOKENS = 41;

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        Map.of("taps", 3),
        Map.of("taps", 3, "biased", true),
        Map.of("taps", 2),
        Map.of("taps", 6, "biased", true),
        Map.of("taps", 3, "opened", false, "inner", 45, "activation", "silu", "biased", true));
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new GatedConvolution.Type(), settings, WIDTH);
  }

  /** The class's formula in double precision. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    int taps = (int) settings.get("taps");
    boolean biased = (boolean) settings.getOrDefault("biased", false);
    int inner = (int) settings.getOrDefault("inner", WIDTH);
    boolean opened = (boolean) settings.getOrDefault("opened", true);
    int gates = opened ? 2 : 1;
    double[][] weight = rows("conv", inner, taps, new Typical(0, 0.5f));
    double[][] gated = new double[x.length][inner];
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] in = plus(times(matrix("in", (gates + 1) * inner, WIDTH), x[t]), "in", biased);
      for (int c = 0; c < inner; c++) {
        gated[t][c] = (opened ? in[c] : 1) * in[gates * inner + c];
      }
      double[] sums = plus(new double[inner], "conv", biased);
      for (int c = 0; c < inner; c++) {
        for (int tap = Math.max(0, taps - 1 - t); tap < taps; tap++) {
          sums[c] += weight[c][tap] * gated[t - taps + 1 + tap][c];
        }
        sums[c] *= settings.containsKey("activation") ? sigmoid(sums[c]) : 1;
        sums[c] *= in[(gates - 1) * inner + c];
      }
      y[t] = plus(times(matrix("out", WIDTH, inner), sums), "out", biased);
    }
    return y;
  }

  private static double[] plus(double[] x, String name, boolean biased) {
    double[] bias = vector(name + ".bias", x.length, Typical.BIAS);
    for (int i = 0; biased && i < x.length; i++) {
      x[i] += bias[i];
    }
    return x;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    double[][] x;
    try (var bench = new MixerBench<RecurrentState>(new GatedConvolution.Type(), settings, WIDTH)) {
      x = bench.tokens(TOKENS, 5);
    }
    laws(settings).aSequenceIs(exact(settings, x), x, 1e-5);
  }

  /** With one tap there is nothing to remember, and so nothing of a state to check. */
  @Test
  void oneTapIsAProductOfGates() {
    aSequenceIsWhatItsFormulaSays(Map.of("taps", 1, "biased", true));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  @Test
  void aStateThatNoArrayHoldsIsRefused() {
    var e =
        assertThrows(
            ConfigException.class,
            () -> new MixerBench<>(new GatedConvolution.Type(), Map.of("taps", 1 << 26), WIDTH));
    assertEquals(
        "gated-convolution: taps=67108864 of 67 channels are more than 2^31 − 1 values",
        e.getMessage());
  }
}
