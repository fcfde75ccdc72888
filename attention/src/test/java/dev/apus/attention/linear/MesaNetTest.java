package dev.apus.attention.linear;

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
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** MesaNet against its formula, token by token, and the laws of its state. */
class MesaNetTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  /** How a system is solved in double precision. */
  private interface Solver {
    double[] solve(double[][] a, double[] b, int steps);
  }

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(
            Map.of("heads", 2, "headDim", 7, "taps", 4, "norm", Map.of("epsilon", 1e-6)));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("heads", 1, "headDim", 1, "taps", 1),
        with("steps", 2, "gate", "silu"),
        with("heads", 3, "headDim", 33, "leastRidge", 1.5),
        with("headDim", 16, "taps", 2, "leastRidge", 0.5));
  }

  private static MixerBench<RecurrentState> bench(Map<String, Object> settings) {
    return new MixerBench<>(new MesaNet.Type(), settings, WIDTH);
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new MesaNet.Type(), settings, WIDTH);
  }

  /** The class's formula in double precision. */
  private static double[][] exact(Map<String, Object> settings, double[][] x, Solver solver) {
    var s = MesaSpec.read(Config.of("exact", settings));
    int dim = s.headDim();
    double[][] qk = convolved(s, x);
    double[] ridge = vector("ridge", s.inner(), new Typical(0, 1));
    double[] norm = vector("norm", dim, Typical.NORM);
    double[] aBias = vector("a.bias", s.heads(), Typical.BIAS);
    double[] bBias = vector("b.bias", s.heads(), Typical.BIAS);
    double[][][] keys = new double[s.heads()][dim][dim];
    double[][][] values = new double[s.heads()][dim][dim];
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] v = times(matrix("v", s.inner(), WIDTH), x[t]);
      double[] a = times(matrix("a", s.heads(), WIDTH), x[t]);
      double[] b = times(matrix("b", s.heads(), WIDTH), x[t]);
      double[] z = times(matrix("z", s.inner(), WIDTH), x[t]);
      double[] o = new double[s.inner()];
      for (int head = 0; head < s.heads(); head++) {
        double[] q = unit(qk[t], head * dim, dim);
        double[] k = unit(qk[t], s.inner() + head * dim, dim);
        double gamma = sigmoid(a[head] + aBias[head]);
        double beta = sigmoid(b[head] + bBias[head]);
        double[][] system = new double[dim][dim];
        for (int i = 0; i < dim; i++) {
          for (int j = 0; j < dim; j++) {
            keys[head][i][j] = gamma * keys[head][i][j] + beta * k[i] * k[j];
            values[head][i][j] = gamma * values[head][i][j] + beta * k[i] * v[head * dim + j];
            system[i][j] = keys[head][i][j];
          }
          system[i][i] += Math.log1p(Math.exp(ridge[head * dim + i])) + s.leastRidge();
        }
        double[] found = solver.solve(system, q, s.steps());
        double[] read = new double[dim];
        double squares = 0;
        for (int j = 0; j < dim; j++) {
          for (int i = 0; i < dim; i++) {
            read[j] += values[head][i][j] * found[i];
          }
          squares += read[j] * read[j] / dim;
        }
        for (int j = 0; j < dim; j++) {
          double gate = z[head * dim + j];
          o[head * dim + j] =
              read[j]
                  / Math.sqrt(squares + s.norm().epsilon())
                  * norm[j]
                  * (s.gate() == null ? 1 : gate * sigmoid(gate));
        }
      }
      y[t] = times(matrix("o", WIDTH, o.length), o);
    }
    return y;
  }

  private static double[][] convolved(MesaSpec s, double[][] x) {
    int channels = 2 * s.inner();
    double[][] taps = rows("conv", channels, s.taps(), new Typical(0, 0.5f));
    double[][] in = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] q = times(matrix("q", s.inner(), WIDTH), x[t]);
      double[] k = times(matrix("k", s.inner(), WIDTH), x[t]);
      in[t] = Stream.of(q, k).flatMapToDouble(Arrays::stream).toArray();
    }
    double[][] out = new double[x.length][channels];
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < channels; c++) {
        double sum = 0;
        for (int j = Math.max(0, s.taps() - 1 - t); j < s.taps(); j++) {
          sum += taps[c][j] * in[t - s.taps() + 1 + j][c];
        }
        out[t][c] = sum * sigmoid(sum);
      }
    }
    return out;
  }

  private static double[] unit(double[] x, int from, int dim) {
    double[] y = Arrays.copyOfRange(x, from, from + dim);
    double length = Math.sqrt(Arrays.stream(y).map(v -> v * v).sum() + 1e-6);
    return Arrays.stream(y).map(v -> v / length).toArray();
  }

  /** The steps that the mixer takes. */
  private static double[] steps(double[][] a, double[] b, int steps) {
    double[] x = new double[b.length];
    double[] r = b.clone();
    double[] p = b.clone();
    for (int step = 0; step < steps; step++) {
      double[] ap = times(a, p);
      double before = dot(r, r);
      double alpha = before / (dot(p, ap) + 1e-5);
      for (int i = 0; i < x.length; i++) {
        x[i] += alpha * p[i];
        r[i] -= alpha * ap[i];
      }
      double kept = dot(r, r) / (before + 1e-5);
      for (int i = 0; i < x.length; i++) {
        p[i] = r[i] + kept * p[i];
      }
    }
    return x;
  }

  private static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** The solution itself, by elimination. */
  private static double[] eliminated(double[][] a, double[] b, int steps) {
    double[] x = b.clone();
    for (int i = 0; i < x.length; i++) {
      for (int row = i + 1; row < x.length; row++) {
        double factor = a[row][i] / a[i][i];
        for (int j = i; j < x.length; j++) {
          a[row][j] -= factor * a[i][j];
        }
        x[row] -= factor * x[i];
      }
    }
    for (int i = x.length - 1; i >= 0; i--) {
      for (int j = i + 1; j < x.length; j++) {
        x[i] -= a[i][j] * x[j];
      }
      x[i] /= a[i][i];
    }
    return x;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] expected = exact(settings, x, MesaNetTest::steps);
      laws(settings).aSequenceIs(expected, x, 5e-5 * Math.max(1, largest(expected)));
    }
  }

  /** As near as steps that end at a length of about √ε can come. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void enoughStepsFindTheBestFit(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] best = exact(settings, x, MesaNetTest::eliminated);
      float[][] found = bench.run(bench.state(), x, 0);
      double worst = 0;
      for (int t = 0; t < TOKENS; t++) {
        for (int j = 0; j < WIDTH; j++) {
          worst = Math.max(worst, Math.abs(best[t][j] - found[t][j]));
        }
      }
      boolean enough = MesaSpec.read(Config.of("steps", settings)).steps() > 2;
      assertEquals(enough, worst < 0.02 * largest(best), "off by " + worst);
    }
  }

  private static double largest(double[][] rows) {
    return Arrays.stream(rows).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElseThrow();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with("steps", 0), "steps=0 must be a whole number from 1 to 2147483647"),
        of(
            with("leastRidge", -1),
            "leastRidge=-1.0 must not be negative: some queries have no answer"),
        of(with("gate", "tanh"), "gate=\"tanh\" is not supported; supported: none, silu"),
        of(
            with("heads", 65_536, "headDim", 65_536),
            "heads=65536 of headDim=65536 by headDim, or by taps=4 for queries and keys, are more"
                + " than 2^31 − 1 values"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class, () -> MesaSpec.read(Config.of("layer 0 mesa", settings)));
    assertEquals("layer 0 mesa: " + message, e.getMessage());
  }
}
