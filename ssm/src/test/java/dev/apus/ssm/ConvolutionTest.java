package dev.apus.ssm;

import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.vector;
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

/** The convolution without gates against its formula, and the laws of its state. */
class ConvolutionTest {

  private static final int WIDTH = 67;

  static Stream<Map<String, Object>> settings() {
    return Stream.of(Map.of("taps", 4, "biased", true), Map.of("taps", 2));
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new Convolution.Type(), settings, WIDTH);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    int taps = (int) settings.get("taps");
    double[][] weight = rows("conv", WIDTH, taps, new Typical(0, 0.5f));
    double[] bias = vector("conv.bias", WIDTH, Typical.BIAS);
    try (var bench = new MixerBench<RecurrentState>(new Convolution.Type(), settings, WIDTH)) {
      double[][] x = bench.tokens(41, 5);
      double[][] y = new double[x.length][WIDTH];
      for (int t = 0; t < x.length; t++) {
        for (int c = 0; c < WIDTH; c++) {
          y[t][c] = settings.containsKey("biased") ? bias[c] : 0;
          for (int tap = Math.max(0, taps - 1 - t); tap < taps; tap++) {
            y[t][c] += weight[c][tap] * x[t - taps + 1 + tap][c];
          }
        }
      }
      laws(settings).aSequenceIs(y, x, 1e-5);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  @Test
  void tooManyTapsAreRefused() {
    Map<String, Object> settings = Map.of("taps", Integer.MAX_VALUE);
    assertThrows(
        ConfigException.class,
        () -> new MixerBench<RecurrentState>(new Convolution.Type(), settings, WIDTH));
  }
}
