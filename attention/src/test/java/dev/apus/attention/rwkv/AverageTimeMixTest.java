package dev.apus.attention.rwkv;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;

import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** RWKV-4's time mixing against the sums that it stands for, and the laws of its state. */
class AverageTimeMixTest {

  private static final int WIDTH = 11;

  private static MixerLaws laws(int inner) {
    return new MixerLaws(new AverageTimeMix.Type(), Map.of("inner", inner), WIDTH);
  }

  /** The class's formula, with a sum over all tokens before for each token. */
  private static double[][] exact(double[][] x, int inner) {
    double[][][] in = Shifted.exact(x, "rkv", 0);
    double[] w = vector("decay", inner, new Typical(-1.1f, 1));
    double[] u = vector("bonus", inner, new Typical(0, 1));
    double[][] k = new double[x.length][];
    double[][] v = new double[x.length][];
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] r = times(matrix("r", inner, WIDTH), in[0][t]);
      k[t] = times(matrix("k", inner, WIDTH), in[1][t]);
      v[t] = times(matrix("v", inner, WIDTH), in[2][t]);
      double[] o = new double[inner];
      for (int c = 0; c < inner; c++) {
        double weights = 0;
        for (int s = 0; s <= t; s++) {
          double weight = Math.exp(k[s][c] + (s == t ? u[c] : (t - 1 - s) * w[c]));
          o[c] += weight * v[s][c];
          weights += weight;
        }
        o[c] *= sigmoid(r[c]) / weights;
      }
      y[t] = times(matrix("o", WIDTH, inner), o);
    }
    return y;
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 12, 77, 130})
  void aSequenceIsWhatItsFormulaSays(int inner) {
    try (var bench = new MixerBench<>(new AverageTimeMix.Type(), Map.of("inner", inner), WIDTH)) {
      double[][] x = bench.tokens(41, 5);
      laws(inner).aSequenceIs(exact(x, inner), x, 1e-5);
    }
  }

  @ParameterizedTest
  @ValueSource(ints = {1, 12, 77, 130})
  void theLawsOfMixersHold(int inner) throws IOException {
    laws(inner).hold();
  }
}
