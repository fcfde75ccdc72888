package dev.apus.ssm.mamba3;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Mamba-3 against its recurrence of two writes for each token, in double precision. */
class Mamba3Test {

  private static final int WIDTH = 11;
  private static final int TOKENS = 61;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(Map.of("heads", 4, "headDim", 7, "stateSize", 10));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("groups", 2, "angles", 5),
        with("groups", 4, "outputNorm", true, "biased", true),
        with("heads", 1, "headDim", 1, "stateSize", 2, "angles", 1),
        with("decayFloor", 2, "epsilon", 0.1),
        with("stateSize", 32, "headDim", 33, "angles", 16));
  }

  private static double[] project(Mamba3Spec s, String name, int outputs, double[] x) {
    double[] y = times(matrix(name, outputs, x.length), x);
    double[] bias = s.biased() ? vector(name + ".bias", outputs, Typical.BIAS) : null;
    for (int i = 0; bias != null && i < outputs; i++) {
      y[i] += bias[i];
    }
    return y;
  }

  private static double softplus(double x) {
    return Math.max(x, 0) + Math.log1p(Math.exp(-Math.abs(x)));
  }

  /** The formula of the class, with both writes of each token. */
  private static double[][] exact(Map<String, Object> settings, double[][] in) {
    Mamba3Spec s = Mamba3Spec.read(Config.of("exact", settings));
    int size = s.stateSize();
    double[][][] memory = new double[s.heads()][size][s.headDim()];
    double[][] angle = new double[s.heads()][s.angles()];
    double[][] lastKey = new double[s.heads()][size];
    double[][] lastValue = new double[s.heads()][s.headDim()];
    double[] dtBias = vector("dtBias", s.heads(), new Typical(-3, 1));
    double[] skip = vector("d", s.heads(), new Typical(1, 0.5f));
    double[][] y = new double[in.length][];
    for (int t = 0; t < in.length; t++) {
      double[] z = project(s, "z", s.inner(), in[t]);
      double[] x = project(s, "x", s.inner(), in[t]);
      double[] dt = project(s, "dt", s.heads(), in[t]);
      double[] a = project(s, "a", s.heads(), in[t]);
      double[] trap = project(s, "trap", s.heads(), in[t]);
      double[] rate = project(s, "angle", s.angles(), in[t]);
      double[] o = new double[s.inner()];
      for (int head = 0; head < s.heads(); head++) {
        double step = softplus(dt[head] + dtBias[head]);
        double alpha = Math.exp(-Math.max(softplus(a[head]), s.decayFloor()) * step);
        double lambda = sigmoid(trap[head]);
        double beta = alpha * step * (1 - lambda);
        double gamma = step * lambda;
        for (int i = 0; i < s.angles(); i++) {
          angle[head][i] += step * Math.PI * Math.tanh(rate[i]);
        }
        double[] k = turned(s, "b", in[t], head, angle[head]);
        double[] q = turned(s, "c", in[t], head, angle[head]);
        for (int j = 0; j < s.headDim(); j++) {
          double v = x[head * s.headDim() + j];
          double read = skip[head] * v;
          for (int i = 0; i < size; i++) {
            double[] row = memory[head][i];
            row[j] =
                alpha * row[j] + beta * lastKey[head][i] * lastValue[head][j] + gamma * k[i] * v;
            read += row[j] * q[i];
          }
          lastValue[head][j] = v;
          o[head * s.headDim() + j] = read;
        }
        lastKey[head] = k;
        gate(s, head, o, z);
      }
      y[t] = project(s, "o", WIDTH, o);
    }
    return y;
  }

  private static void gate(Mamba3Spec s, int head, double[] o, double[] z) {
    int at = head * s.headDim();
    double squares = 0;
    for (int j = at; j < at + s.headDim(); j++) {
      squares += o[j] * o[j] / s.headDim();
    }
    for (int j = at; j < at + s.headDim(); j++) {
      if (s.outputNorm()) {
        o[j] *= vector("norm", s.inner(), Typical.NORM)[j] / Math.sqrt(squares + s.epsilon());
      }
      o[j] *= z[j] * sigmoid(z[j]);
    }
  }

  /** A head's key or query: its group's, normalised, and its bias, turned. */
  private static double[] turned(Mamba3Spec s, String name, double[] in, int head, double[] angle) {
    int size = s.stateSize();
    double[] all = project(s, name, s.groups() * size, in);
    double[] weight = vector(name + "Norm", size, Typical.NORM);
    double[] bias = rows(name + "Bias", s.heads(), size, new Typical(1, 0.5f))[head];
    int at = head * s.groups() / s.heads() * size;
    double squares = 0;
    for (int i = 0; i < size; i++) {
      squares += all[at + i] * all[at + i] / size;
    }
    double[] x = new double[size];
    for (int i = 0; i < size; i++) {
      x[i] = all[at + i] / Math.sqrt(squares + s.epsilon()) * weight[i] + bias[i];
    }
    for (int i = 0; i < angle.length; i++) {
      double first = x[2 * i];
      double second = x[2 * i + 1];
      x[2 * i] = first * Math.cos(angle[i]) - second * Math.sin(angle[i]);
      x[2 * i + 1] = first * Math.sin(angle[i]) + second * Math.cos(angle[i]);
    }
    return x;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = new MixerBench<RecurrentState>(new Mamba3.Type(), settings, WIDTH)) {
      double[][] x = bench.tokens(TOKENS, 5);
      new MixerLaws(new Mamba3.Type(), settings, WIDTH).aSequenceIs(exact(settings, x), x, 5e-5);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    new MixerLaws(new Mamba3.Type(), settings, WIDTH).hold();
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with("groups", 3), "heads=4 is not divisible by groups=3"),
        of(with("angles", 6), "angles=6 turn pairs of values, and stateSize=10"),
        of(
            with("headDim", 1 << 15, "stateSize", 1 << 15),
            "heads=4 of headDim=32768 by stateSize=32768 are more than 2^31 − 1 values"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class, () -> Mamba3Spec.read(Config.of("layer 0 mamba3", settings)));
    assertEquals("layer 0 mamba3: " + message, e.getMessage());
  }
}
