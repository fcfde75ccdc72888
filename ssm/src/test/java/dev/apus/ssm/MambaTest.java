package dev.apus.ssm;

import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
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
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Mamba against its formula, token by token, and the laws of its state. */
class MambaTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(Map.of("inner", 22, "stateSize", 5, "dtRank", 3, "taps", 4));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("inner", 1, "stateSize", 1, "dtRank", 1, "taps", 1),
        with("biased", true, "convBiased", false),
        with("norm", Map.of("epsilon", 1e-3, "weighted", false)),
        with("norm", Map.of("epsilon", 1e-6)),
        with("heads", 2),
        with("update", "implicit"),
        with("update", "implicit", "heads", 2, "norm", Map.of("epsilon", 1e-6)),
        with("heads", 2, "inner", 270, "norm", Map.of("epsilon", 1e-6)),
        with("inner", 300, "stateSize", 16, "taps", 2));
  }

  private static MixerBench<RecurrentState> bench(Map<String, Object> settings) {
    return new MixerBench<>(new Mamba.Type(), settings, WIDTH);
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new Mamba.Type(), settings, WIDTH);
  }

  /** The class's formula in double precision. */
  private static final class Exact {

    final Mamba.Spec s;

    Exact(Map<String, Object> settings) {
      this.s = Mamba.Spec.read(Config.of("exact", settings));
    }

    double[][] run(double[][] tokens) {
      double[][] x = convolved(tokens);
      double[][] z = new double[tokens.length][];
      double[][] y = new double[tokens.length][];
      Arrays.setAll(z, t -> projected("z", s.inner(), WIDTH, tokens[t], s.biased()));
      for (int head = 0; head < s.heads(); head++) {
        scan(head, x);
      }
      for (int t = 0; t < y.length; t++) {
        for (int c = 0; c < s.inner(); c++) {
          x[t][c] *= z[t][c] * sigmoid(z[t][c]);
        }
        y[t] = projected("o", WIDTH, s.inner(), x[t], s.biased());
      }
      return y;
    }

    private double[] projected(String name, int outputs, int inputs, double[] x, boolean biased) {
      double[] y = times(MixerBench.matrix(name, outputs, inputs), x);
      if (biased) {
        double[] bias = MixerBench.vector(name + ".bias", outputs, Typical.BIAS);
        Arrays.setAll(y, i -> y[i] + bias[i]);
      }
      return y;
    }

    private double[][] convolved(double[][] tokens) {
      int inner = s.inner();
      double[][] taps = MixerBench.rows("conv", inner, s.taps(), new Typical(0, 0.5f));
      double[] bias =
          s.convBiased() ? MixerBench.vector("conv.bias", inner, Typical.BIAS) : new double[inner];
      double[][] in = new double[tokens.length][];
      Arrays.setAll(in, t -> projected("x", inner, WIDTH, tokens[t], s.biased()));
      double[][] out = new double[tokens.length][inner];
      for (int t = 0; t < tokens.length; t++) {
        for (int c = 0; c < inner; c++) {
          double sum = bias[c];
          for (int j = Math.max(0, s.taps() - 1 - t); j < s.taps(); j++) {
            sum += taps[c][j] * in[t - s.taps() + 1 + j][c];
          }
          out[t][c] = sum * sigmoid(sum);
        }
      }
      return out;
    }

    /** Replaces a head's channels by what the scan gives for them. */
    private void scan(int head, double[][] x) {
      int dim = s.headDim();
      int size = s.stateSize();
      double[][] a = MixerBench.rows("decay", s.inner(), size, new Typical(-4, 3.9f));
      double[] d = MixerBench.vector("d", s.inner(), Typical.NORM);
      double[] dtBias = MixerBench.vector("dtBias", s.inner(), new Typical(-3, 1));
      double[][] h = new double[dim][size];
      for (double[] row : x) {
        double[] own = Arrays.copyOfRange(row, head * dim, (head + 1) * dim);
        double[] low = times(part(head, "dt.down", s.dtRank(), dim, null), own);
        double[] bc = times(part(head, "bc", 2 * size, dim, null), own);
        normalize(head, "dt.norm", low, 0, s.dtRank());
        normalize(head, "bc.norm", bc, 0, size);
        normalize(head, "bc.norm", bc, size, size);
        double[] raw = times(part(head, "dt.up", dim, s.dtRank(), null), low);
        for (int i = 0; i < dim; i++) {
          int c = head * dim + i;
          double delta = Math.log1p(Math.exp(raw[i] + dtBias[c]));
          double squares = 0;
          for (int n = 0; n < size; n++) {
            squares += bc[n] * bc[n];
          }
          if (s.implicit()) {
            double beta = sigmoid(raw[i] + dtBias[c]);
            delta = beta / (1 + beta * squares);
          }
          double sum = d[c] * own[i];
          for (int n = 0; n < size; n++) {
            double decay = s.implicit() ? 1 - delta * bc[n] * bc[n] : Math.exp(delta * a[c][n]);
            h[i][n] = decay * h[i][n] + delta * own[i] * bc[n];
            sum += bc[size + n] * h[i][n];
          }
          row[c] = sum;
        }
      }
    }

    private double[][] part(int head, String name, int rows, int cols, Typical typical) {
      return s.heads() == 1
          ? MixerBench.rows(name, rows, cols, typical)
          : MixerBench.rows("head." + name, head, rows, cols, typical);
    }

    private void normalize(int head, String name, double[] x, int at, int length) {
      if (s.norm() == null) {
        return;
      }
      double[] weight = new double[x.length];
      Arrays.fill(weight, 1);
      if (s.norm().weighted()) {
        weight = part(head, name, 1, x.length, Typical.NORM)[0];
      }
      double squares = 0;
      for (int i = at; i < at + length; i++) {
        squares += x[i] * x[i] / length;
      }
      for (int i = at; i < at + length; i++) {
        x[i] *= weight[i] / Math.sqrt(squares + s.norm().epsilon());
      }
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      laws(settings).aSequenceIs(new Exact(settings).run(x), x, 2e-5);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  @Test
  void cutsLeaveNoTrace() {
    Map<String, Object> settings = with("inner", 300);
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      float[][] whole = bench.run(bench.state(), x, 0);
      RecurrentState state = bench.state();
      float[][] head = bench.run(state, Arrays.copyOfRange(x, 0, 7), 0);
      float[][] tail = bench.run(state, Arrays.copyOfRange(x, 7, TOKENS), 7);
      for (int t = 0; t < TOKENS; t++) {
        assertTrue(Arrays.equals(whole[t], t < 7 ? head[t] : tail[t - 7]), "token " + t);
      }
    }
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with("heads", 3), "inner=22 is not divisible by heads=3"),
        of(with("taps", 0), "taps=0 must be a whole number from 1 to 2147483647"),
        of(with("norm", Map.of("biased", true)), "only a weighted layer norm has a bias"),
        of(
            with("inner", 1 << 20, "stateSize", 1 << 12),
            "stateSize=4096 or taps=4 of inner=1048576 are more than 2^31 − 1 values"),
        of(
            with("heads", 2, "dtRank", 1 << 30),
            "dtRank=1073741824 and stateSize=5 are too much for a row of heads=2"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class, () -> Mamba.Spec.read(Config.of("layer 0 mamba", settings)));
    assertEquals("layer 0 mamba: " + message, e.getMessage());
  }
}
