package dev.apus.attention.rwkv;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;

import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ChannelMixTest {

  private static final int WIDTH = 11;
  private static final int INNER = 29;

  private static Map<String, Object> settings(boolean gated) {
    return Map.of("inner", INNER, "gated", gated, "activation", "relu-squared");
  }

  private static MixerLaws laws(boolean gated) {
    return new MixerLaws(new ChannelMix.Type(), settings(gated), WIDTH);
  }

  /** The class's formula in double precision. */
  private static double[][] exact(double[][] x, boolean gated) {
    double[][][] in = Shifted.exact(x, gated ? "kr" : "k", 0);
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] inner = times(matrix("k", INNER, WIDTH), in[0][t]);
      for (int i = 0; i < INNER; i++) {
        inner[i] = Math.pow(Math.max(inner[i], 0), 2);
      }
      y[t] = times(matrix("v", WIDTH, INNER), inner);
      if (gated) {
        double[] r = times(matrix("r", WIDTH, WIDTH), in[1][t]);
        for (int i = 0; i < WIDTH; i++) {
          y[t][i] *= sigmoid(r[i]);
        }
      }
    }
    return y;
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void aSequenceIsWhatItsFormulaSays(boolean gated) {
    try (var bench = new MixerBench<>(new ChannelMix.Type(), settings(gated), WIDTH)) {
      double[][] x = bench.tokens(21, 5);
      laws(gated).aSequenceIs(exact(x, gated), x, 1e-5);
    }
  }

  @ParameterizedTest
  @ValueSource(booleans = {true, false})
  void theLawsOfMixersHold(boolean gated) throws IOException {
    laws(gated).hold();
  }
}
