package dev.apus.attention.learning;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.RecurrentState;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Test-time training against the paper's primal form in double precision, in which the weights of
 * every token are written out, and the laws of its state.
 */
class TestTimeTrainingTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  private static Map<String, Object> with(Object... pairs) {
    Map<String, Object> settings = new HashMap<>(Map.of("heads", 2, "headDim", 6));
    for (int i = 0; i < pairs.length; i += 2) {
      settings.put((String) pairs[i], pairs[i + 1]);
    }
    return settings;
  }

  static Stream<Map<String, Object>> settings() {
    Map<String, Object> rope = Map.of("layout", "interleaved", "theta", 100);
    return Stream.of(
        with("rope", rope),
        with("inner", "mlp", "rope", rope, "rate", 0.5),
        with("inner", "mlp", "hidden", 7, "activation", "silu", "miniBatch", 5),
        with("heads", 3, "headDim", 5, "miniBatch", 1, "gated", true),
        with("headDim", 18, "miniBatch", 7, "taps", 4, "gated", true, "rope", rope));
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new TestTimeTraining.Type(), settings, WIDTH);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      laws(settings).aSequenceIs(exact(settings, x), x, 1e-4);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  private static MixerBench<RecurrentState> bench(Map<String, Object> settings) {
    return new MixerBench<>(new TestTimeTraining.Type(), settings, WIDTH);
  }

  /** Whoever forgets to learn gives other rows. */
  @Test
  void whatIsLearnedShows() {
    double[][] x;
    double[][] learned;
    double[][] unlearned;
    try (var bench = bench(with())) {
      x = bench.tokens(TOKENS, 5);
      learned = exact(with(), x);
      unlearned = exact(with("rate", 0), x);
    }
    assertEquals(0, distance(learned, exact(with("rate", 1), x)));
    assertTrue(distance(learned, unlearned) > 0.05, "learning changes next to nothing");
  }

  private static double distance(double[][] a, double[][] b) {
    double most = 0;
    for (int t = 0; t < a.length; t++) {
      for (int i = 0; i < a[t].length; i++) {
        most = Math.max(most, Math.abs(a[t][i] - b[t][i]));
      }
    }
    return most;
  }

  @ParameterizedTest
  @CsvSource({
    "headDim, 0, headDim",
    "miniBatch, 0, miniBatch",
    "inner, rnn, inner",
    "heads, 2000000000, heads",
  })
  void settingsThatCannotBeRunAreRefused(String key, String value, String named) {
    Object parsed = value.matches("\\d+") ? Integer.valueOf(value) : value;
    var e =
        assertThrows(
            ConfigException.class, () -> TttSpec.read(Config.of("ttt", with(key, parsed))));
    assertTrue(e.getMessage().contains(named), e.getMessage());
  }

  /** A sequence has the bits of its tokens one by one, wherever it is cut. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void anyCutKeepsTheBits(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      assertEquals(1, bench.grain());
      double[][] x = bench.tokens(TOKENS, 5);
      float[][] whole;
      try (RecurrentState state = bench.state()) {
        whole = bench.run(state, x, 0);
      }
      for (int piece : new int[] {1, 3, 16, 20}) {
        try (RecurrentState state = bench.state()) {
          for (int from = 0; from < x.length; from += piece) {
            int to = Math.min(x.length, from + piece);
            float[][] part = bench.run(state, Arrays.copyOfRange(x, from, to), from);
            for (int t = from; t < to; t++) {
              assertArrayEquals(whole[t], part[t - from], "token " + t + " of pieces of " + piece);
            }
          }
        }
      }
    }
  }

  /** The class's formula in double precision, with all weights after each token. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    TttSpec s = TttSpec.read(Config.of("exact", settings));
    int cols = s.cols();
    double[][] q = all(x, "q", cols);
    double[][] v = all(x, "v", cols);
    double[][] k = s.sharesKeys() ? convolved("k.conv", q, s.taps()) : all(x, "k", cols);
    q = s.sharesKeys() ? convolved("q.conv", q, s.taps()) : q;
    double[] place = vector("place", s.miniBatch(), new Typical(0, 0.1f));
    double[] rateBias = vector("rate.bias", s.heads(), Typical.BIAS);
    double[][] rates = all(x, "rate", s.heads());
    double[][] o = new double[x.length][cols];
    for (int head = 0; head < s.heads(); head++) {
      ExactModel start = ExactModel.random(s.inner(), s.heads(), head, s.epsilon(), "");
      ExactModel gradients = start.zeros();
      for (int t = 0; t < x.length; t++) {
        int i = t % s.miniBatch();
        if (i == 0) {
          gradients = start.zeros();
        }
        double[] key = turned(s, part(k[t], s, head), i);
        double rate = s.rate() / s.headDim() * sigmoid(rates[t][head] + rateBias[head]);
        gradients = gradients.plus(rate, start.gradient(key, part(v[t], s, head)));
        double factor = Math.max(1.0 / (i + 1) + place[i], 0);
        ExactModel now = start.plus(-factor, gradients);
        double[] out = now.map(turned(s, part(q[t], s, head), i));
        System.arraycopy(out, 0, o[t], head * s.headDim(), s.headDim());
        if (i == s.miniBatch() - 1) {
          start = now;
        }
      }
    }
    double[] weight = vector("norm", cols, Typical.NORM);
    double[] bias = vector("norm.bias", cols, Typical.BIAS);
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] out = ExactModel.layerNorm(o[t], weight, bias, s.epsilon());
      if (s.gated()) {
        double[] gate = times(matrix("gate", cols, WIDTH), x[t]);
        Arrays.setAll(out, i -> out[i] * ExactModel.geluTanh(gate[i]));
      }
      y[t] = times(matrix("o", WIDTH, cols), out);
    }
    return y;
  }

  private static double[][] all(double[][] x, String name, int outputs) {
    double[][] w = matrix(name, outputs, WIDTH);
    return Arrays.stream(x).map(row -> times(w, row)).toArray(double[][]::new);
  }

  private static double[] part(double[] row, TttSpec s, int head) {
    return Arrays.copyOfRange(row, head * s.headDim(), (head + 1) * s.headDim());
  }

  private static double[][] convolved(String name, double[][] x, int taps) {
    int channels = x[0].length;
    double[][] weight = rows(name, channels, taps, new Typical(0, 0.5f));
    double[] bias = vector(name + ".bias", channels, Typical.BIAS);
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      y[t] = bias.clone();
      for (int c = 0; c < channels; c++) {
        for (int tap = Math.max(0, taps - 1 - t); tap < taps; tap++) {
          y[t][c] += weight[c][tap] * x[t - taps + 1 + tap][c];
        }
      }
    }
    return y;
  }

  /** A row turned by the place in the mini-batch, pairs being neighbours. */
  private static double[] turned(TttSpec s, double[] row, int place) {
    if (s.rope() == null) {
      return row;
    }
    double[] y = row.clone();
    for (int i = 0; i < row.length; i += 2) {
      double angle = place * Math.pow(s.rope().theta(), -(double) i / row.length);
      y[i] = row[i] * Math.cos(angle) - row[i + 1] * Math.sin(angle);
      y[i + 1] = row[i + 1] * Math.cos(angle) + row[i] * Math.sin(angle);
    }
    return y;
  }
}
