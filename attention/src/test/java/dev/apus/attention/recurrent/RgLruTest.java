package dev.apus.attention.recurrent;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** The RG-LRU block against its formula, token by token, and the laws of its state. */
class RgLruTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  private static Map<String, Object> with(int inner, int heads, int taps, String activation) {
    return Map.of("inner", inner, "heads", heads, "taps", taps, "activation", activation);
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(12, 3, 4, "gelu-tanh"),
        with(5, 1, 1, "silu"),
        with(7, 7, 2, "gelu"),
        with(130, 2, 4, "gelu-tanh"));
  }

  private static MixerBench<RecurrentState> bench(Map<String, Object> settings) {
    return new MixerBench<>(new RgLru.Type(), settings, WIDTH);
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new RgLru.Type(), settings, WIDTH);
  }

  /** The class's formula in double precision. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    var s = RgLru.Spec.read(Config.of("exact", settings));
    int inner = s.inner();
    double[][] taps = rows("conv", inner, s.taps(), new Typical(0, 0.5f));
    double[] tapsBias = vector("conv.bias", inner, Typical.BIAS);
    double[] lambda = vector("lambda", inner, new Typical(-5, 2));
    double[][] in = new double[x.length][];
    Arrays.setAll(in, t -> biased("x", inner, x[t]));
    double[] h = new double[inner];
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] u = tapsBias.clone();
      for (int c = 0; c < inner; c++) {
        for (int tap = Math.max(0, s.taps() - 1 - t); tap < s.taps(); tap++) {
          u[c] += taps[c][tap] * in[t - s.taps() + 1 + tap][c];
        }
      }
      double[] i = blocks("inputGate", s.heads(), u);
      double[] r = blocks("recurrenceGate", s.heads(), u);
      double[] outer = biased("gate", inner, x[t]);
      double[] o = new double[inner];
      for (int c = 0; c < inner; c++) {
        double logA = -8 * Math.log1p(Math.exp(lambda[c])) * sigmoid(r[c]);
        double root = t == 0 ? 1 : Math.sqrt(-Math.expm1(2 * logA));
        h[c] = Math.exp(logA) * h[c] + root * sigmoid(i[c]) * u[c];
        o[c] = h[c] * activated(s.activation().name(), outer[c]);
      }
      y[t] = biased("o", WIDTH, o);
    }
    return y;
  }

  private static double activated(String name, double x) {
    return switch (name) {
      case "SILU" -> x * sigmoid(x);
      case "GELU_TANH" ->
          x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
      default -> x * normalDistribution(x);
    };
  }

  /** Φ(x) by Simpson's rule. */
  private static double normalDistribution(double x) {
    int steps = 2000;
    double width = x / steps;
    double sum = 0;
    for (int i = 0; i <= steps; i++) {
      double factor = i == 0 || i == steps ? 1 : i % 2 == 1 ? 4 : 2;
      sum += factor * Math.exp(-(i * width) * (i * width) / 2);
    }
    return 0.5 + sum * width / 3 / Math.sqrt(2 * Math.PI);
  }

  private static double[] biased(String name, int outputs, double[] x) {
    double[] y = times(matrix(name, outputs, x.length), x);
    double[] bias = vector(name + ".bias", outputs, Typical.BIAS);
    Arrays.setAll(y, i -> y[i] + bias[i]);
    return y;
  }

  private static double[] blocks(String name, int heads, double[] u) {
    int size = u.length / heads;
    double[] y = new double[u.length];
    for (int head = 0; head < heads; head++) {
      double[] part = Arrays.copyOfRange(u, head * size, (head + 1) * size);
      double[] mapped = times(rows(name, head, size, size, null), part);
      double[] bias = rows(name + ".bias", head, 1, size, Typical.BIAS)[0];
      for (int i = 0; i < size; i++) {
        y[head * size + i] = mapped[i] + bias[i];
      }
    }
    return y;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      laws(settings).aSequenceIs(exact(settings, x), x, 2e-5);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  /** What is not the first token of a sequence is scaled, though a run begins with it. */
  @Test
  void onlyASequenceBegins() {
    Map<String, Object> settings = with(12, 3, 4, "silu");
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(1, 5);
      float[] first = bench.run(bench.state(), x, 0)[0];
      float[] later = bench.run(bench.state(), x, 1)[0];
      assertFalse(Arrays.equals(first, later));
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "12 | 5 | 4 | inner=12 is not divisible by heads=5",
        "12 | 3 | 0 | taps=0 must be a whole number from 1 to 2147483647",
        "64 | 1 | 67108864 | taps=67108864 of inner=64 are more than 2^31 − 1 values",
      })
  void settingsThatCannotRunAreRefused(int inner, int heads, int taps, String message) {
    var config = Config.of("layer 0 rg-lru", with(inner, heads, taps, "silu"));
    var e = assertThrows(ConfigException.class, () -> RgLru.Spec.read(config));
    assertEquals("layer 0 rg-lru: " + message, e.getMessage());
  }
}
