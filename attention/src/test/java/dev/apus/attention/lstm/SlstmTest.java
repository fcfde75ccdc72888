package dev.apus.attention.lstm;

import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** sLSTM against its paper's formula without a stabiliser, and the laws of its state. */
class SlstmTest {

  private static final int TOKENS = 41;
  private static final double EPSILON = 1e-5;

  record Layer(int width, int heads, int taps, String forget) {

    Map<String, Object> settings() {
      return Map.of(
          "heads",
          heads,
          "taps",
          taps,
          "forget",
          forget,
          "norm",
          NormSpec.layer(EPSILON, false).toMap());
    }

    MixerLaws laws() {
      return new MixerLaws(new Slstm.Type(), settings(), width);
    }

    MixerBench<RecurrentState> bench() {
      return new MixerBench<>(new Slstm.Type(), settings(), width);
    }
  }

  static Stream<Layer> layers() {
    return Stream.of(
        new Layer(12, 3, 4, "sigmoid"),
        new Layer(11, 1, 0, "sigmoid"),
        new Layer(66, 2, 2, "exponential"),
        new Layer(15, 3, 0, "exponential"));
  }

  private static double[][] exact(Layer layer, double[][] x) {
    int width = layer.width;
    int dim = width / layer.heads;
    double[] bias = vector("bias", 4 * width, Typical.BIAS);
    double[][] state = new double[3][width];
    double[] h = state[0];
    double[] c = state[1];
    double[] n = state[2];
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] convolved = layer.taps == 0 ? x[t] : ExactLstm.convolved(x, t, layer.taps);
      double[] z = ExactLstm.blocks("z", dim, x[t]);
      double[] o = ExactLstm.blocks("o", dim, x[t]);
      double[] i = ExactLstm.blocks("i", dim, convolved);
      double[] f = ExactLstm.blocks("f", dim, convolved);
      for (int head = 0; head < layer.heads; head++) {
        double[] before = Arrays.copyOfRange(h, head * dim, (head + 1) * dim);
        double[] r = times(rows("r", head, 4 * dim, dim, null), before);
        int biasAt = head * r.length;
        Arrays.setAll(r, j -> r[j] + bias[biasAt + j]);
        for (int j = 0; j < dim; j++) {
          int at = head * dim + j;
          double[] logits = {z[at], o[at], i[at], f[at]};
          for (int gate = 0; gate < 4; gate++) {
            logits[gate] += r[gate * dim + j];
          }
          double kept = layer.forget.equals("sigmoid") ? sigmoid(logits[3]) : Math.exp(logits[3]);
          c[at] = kept * c[at] + Math.exp(logits[2]) * Math.tanh(logits[0]);
          n[at] = kept * n[at] + Math.exp(logits[2]);
          h[at] = sigmoid(logits[1]) * c[at] / n[at];
        }
      }
      y[t] = ExactLstm.normed(h, layer.heads, EPSILON);
    }
    return y;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("layers")
  void aSequenceIsWhatItsFormulaSays(Layer layer) {
    try (var bench = layer.bench()) {
      double[][] x = bench.tokens(TOKENS, 5);
      layer.laws().aSequenceIs(exact(layer, x), x, 1e-5);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("layers")
  void theLawsOfMixersHold(Layer layer) throws IOException {
    layer.laws().hold();
  }

  /** Gates so low at the first token that e^ĩ is 0 leave a mean of one value, not 0 / 0. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("layers")
  void gatesOfAnySizeAreStable(Layer layer) {
    try (var bench = layer.bench()) {
      double[][] x = bench.tokens(TOKENS, 5);
      for (double[] row : x) {
        Arrays.setAll(row, i -> 1e4 * row[i]);
      }
      for (float[] row : bench.run(bench.state(), x, 0)) {
        for (float value : row) {
          assertTrue(Float.isFinite(value), Arrays.toString(row));
        }
      }
    }
  }

  @Test
  void headsMustDivideTheWidth() {
    var layer = new Layer(12, 5, 0, "sigmoid");
    var e = assertThrows(ConfigException.class, () -> layer.bench().close());
    assertEquals("slstm: rows of 12 values do not divide into heads=5", e.getMessage());
  }
}
