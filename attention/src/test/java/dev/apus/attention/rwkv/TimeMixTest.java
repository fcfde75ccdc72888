package dev.apus.attention.rwkv;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

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

/** Time mixing of RWKV-5 and RWKV-6 against the sums that it stands for. */
class TimeMixTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all = new HashMap<>();
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  private static Map<String, Object> norm(double epsilon) {
    return Map.of("type", "layer", "epsilon", epsilon, "biased", true);
  }

  /** RWKV-5, RWKV-6 in several shapes and orders, and RWKV-6 in a converted transformer. */
  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with("heads", 3, "keyDim", 5, "norm", norm(64e-5), "order", "rkvg"),
        with("heads", 2, "keyDim", 4, "valueDim", 7, "order", "gvrk", "shareRank", 3),
        with(
            "heads",
            2,
            "keyDim",
            5,
            "valueDim",
            9,
            "order",
            "rwkvg",
            "shareRank",
            3,
            "decayRank",
            4,
            "norm",
            norm(1e-5)),
        with("heads", 1, "keyDim", 17, "order", "wkvrg", "decayRank", 2, "gate", "sigmoid"),
        with(
            "heads",
            6,
            "kvHeads",
            2,
            "keyDim",
            5,
            "order",
            "rkvwg",
            "shareRank",
            2,
            "decayRank",
            3,
            "bonus",
            false,
            "balanced",
            true,
            "biased",
            true,
            "scale",
            0.4,
            "gate",
            "sigmoid",
            "leastLogDecay",
            -1),
        with("heads", 4, "kvHeads", 2, "keyDim", 3, "balanced", true));
  }

  private static MixerBench<RecurrentState> bench(Map<String, Object> settings) {
    return new MixerBench<>(new TimeMix.Type(), settings, WIDTH);
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new TimeMix.Type(), settings, WIDTH);
  }

  /** The class's formula, with a sum over all tokens before for each token. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    var s = TimeMixSpec.read(Config.of("exact", settings));
    double[][][] in = Shifted.exact(x, s.order(), s.shareRank());
    int keys = s.kvHeads() * s.keyDim();
    int values = s.kvHeads() * s.valueDim();
    double[] u = vector("bonus", s.keyCols(), new Typical(0, 1));
    double[][] logs = new double[x.length][];
    double[][] k = new double[x.length][];
    double[][] v = new double[x.length][];
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] r = biased(s, "r", s.keyCols(), in[s.order().indexOf('r')][t]);
      double[] g = times(matrix("g", s.valueCols(), WIDTH), in[s.order().indexOf('g')][t]);
      k[t] = biased(s, "k", keys, in[s.order().indexOf('k')][t]);
      v[t] = biased(s, "v", values, in[s.order().indexOf('v')][t]);
      logs[t] = logs(s, s.decayRank() == 0 ? null : in[s.order().indexOf('w')][t]);
      double[] o = new double[s.valueCols()];
      for (int from = 0; from <= t; from++) {
        for (int head = 0; head < s.heads(); head++) {
          read(s, head, from, t, r, k, v, logs, u, o);
        }
      }
      normalize(s, o);
      for (int i = 0; i < o.length; i++) {
        o[i] *= s.gate().name().equals("SILU") ? g[i] * sigmoid(g[i]) : sigmoid(g[i]);
      }
      y[t] = times(matrix("o", WIDTH, s.valueCols()), o);
    }
    return y;
  }

  private static double[] biased(TimeMixSpec s, String name, int outputs, double[] x) {
    double[] y = times(matrix(name, outputs, WIDTH), x);
    if (s.biased()) {
      double[] bias = vector(name + ".bias", outputs, Typical.BIAS);
      Arrays.setAll(y, i -> y[i] + bias[i]);
    }
    return y;
  }

  /** The logarithms of what is kept. */
  private static double[] logs(TimeMixSpec s, double[] x) {
    double[] d;
    if (x == null) {
      d = vector("decay", s.keyCols(), new Typical(-2, 2)).clone();
    } else {
      double[] latent = times(matrix("decay.latent", s.decayRank(), WIDTH), x);
      Arrays.setAll(latent, i -> Math.tanh(latent[i]));
      d = times(matrix("decay", s.keyCols(), s.decayRank()), latent);
      double[] bias = vector("decay.bias", s.keyCols(), Typical.BIAS);
      Arrays.setAll(d, i -> d[i] + bias[i]);
    }
    Arrays.setAll(d, i -> Math.max(-Math.exp(d[i]), s.leastLogDecay()));
    return d;
  }

  /** Adds to a head's output at token {@code t} what token {@code from} has written. */
  private static void read(
      TimeMixSpec s,
      int head,
      int from,
      int t,
      double[] r,
      double[][] k,
      double[][] v,
      double[][] logs,
      double[] u,
      double[] o) {
    int kv = head / (s.heads() / s.kvHeads());
    double weight = 0;
    for (int i = 0; i < s.keyDim(); i++) {
      int at = head * s.keyDim() + i;
      double faded = 0;
      for (int between = from + 1; between < (s.bonus() ? t : t + 1); between++) {
        faded += logs[between][at];
      }
      double factor = s.bonus() && from == t ? u[at] : Math.exp(faded);
      double key = k[from][kv * s.keyDim() + i];
      key *= s.balanced() ? -Math.expm1(logs[from][at]) : 1;
      weight += s.scale() * r[at] * factor * key;
    }
    for (int j = 0; j < s.valueDim(); j++) {
      o[head * s.valueDim() + j] += weight * v[from][kv * s.valueDim() + j];
    }
  }

  private static void normalize(TimeMixSpec s, double[] o) {
    if (s.norm() == null) {
      return;
    }
    double[] weight = vector("norm", o.length, Typical.NORM);
    double[] bias = vector("norm.bias", o.length, Typical.BIAS);
    int size = s.valueDim();
    for (int at = 0; at < o.length; at += size) {
      double mean = Arrays.stream(o, at, at + size).sum() / size;
      double square = Arrays.stream(o, at, at + size).map(z -> (z - mean) * (z - mean)).sum();
      double root = Math.sqrt(square / size + s.norm().epsilon());
      for (int i = at; i < at + size; i++) {
        o[i] = (o[i] - mean) / root * weight[i] + bias[i];
      }
    }
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

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "kvHeads | 4 | heads=6 is not divisible by kvHeads=4",
        "order | rkvw | order=\"rkvw\" must have the letters of \"gkrv\"",
        "decayRank | 2 | order=\"rkvg\" must have the letters of \"gkrvw\"",
        "leastLogDecay | 0 | leastLogDecay=0.0 must be negative",
      })
  void settingsThatCannotRunAreRefused(String key, String value, String message) {
    Object parsed = value.matches("\\d") ? (Object) Integer.valueOf(value) : value;
    var settings = with("heads", 6, "keyDim", 5, "order", "rkvg");
    settings.put(key, parsed);
    var config = Config.of("layer 0 rwkv-time-mix", settings);
    var e = assertThrows(ConfigException.class, () -> TimeMixSpec.read(config));
    assertEquals("layer 0 rwkv-time-mix: " + message, e.getMessage());
  }

  @Test
  void aMemoryIsNoLargerThanAnArray() {
    var config = Config.of("layer 0", with("heads", 1 << 10, "keyDim", 1 << 11));
    var e = assertThrows(ConfigException.class, () -> TimeMixSpec.read(config));
    assertEquals(
        "layer 0: heads=1024 of keyDim=2048 by valueDim=2048 are more than 2^31 − 1 values",
        e.getMessage());
  }
}
