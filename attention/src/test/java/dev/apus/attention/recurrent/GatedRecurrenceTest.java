package dev.apus.attention.recurrent;

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
import dev.apus.core.model.NormSpec;
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
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Gated recurrences against their papers' formulas, in all their forms, and the laws of states. */
class GatedRecurrenceTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  private static Map<String, Object> with(int inner, String gates, String candidate) {
    Map<String, Object> settings = new LinkedHashMap<>();
    settings.put("inner", inner);
    settings.put("gates", gates);
    settings.put("candidate", candidate);
    return settings;
  }

  private static Map<String, Object> hgrn(int inner, int taps, Map<String, Integer> bounds) {
    Map<String, Object> settings = with(inner, "forget", "silu");
    settings.put("taps", taps);
    settings.put("gate", "silu");
    settings.put("norm", NormSpec.rms(1e-6).toMap());
    if (bounds != null) {
      settings.put("bounds", bounds);
    }
    return settings;
  }

  private static Map<String, Object> biased(Map<String, Object> settings) {
    settings.put("biased", true);
    return settings;
  }

  private static Map<String, Object> unprojected(Map<String, Object> settings) {
    settings.put("projected", false);
    return settings;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        hgrn(13, 0, null),
        hgrn(7, 4, Map.of("layers", 3, "layer", 1)),
        hgrn(130, 2, Map.of("layers", 5, "layer", 4)),
        biased(with(12, "update", "positive")),
        unprojected(with(WIDTH, "update", "tanh")),
        biased(with(67, "both", "positive")),
        with(5, "both", "identity"));
  }

  private static MixerBench<RecurrentState> bench(Map<String, Object> settings) {
    return new MixerBench<>(new GatedRecurrence.Type(), settings, WIDTH);
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new GatedRecurrence.Type(), settings, WIDTH);
  }

  /** What each token keeps, and what it adds, for each channel. */
  private record Shares(double[][] kept, double[][] added) {}

  private static Shares shares(GatedSpec s, double[][] x) {
    int inner = s.inner();
    double[][] candidates = projected(s, "x", 0, x);
    boolean forgets = s.gates() != GatedSpec.Gates.UPDATE;
    boolean updates = s.gates() != GatedSpec.Gates.FORGET;
    double[][] f = forgets ? projected(s, "f", 1, x) : null;
    double[][] i = updates ? projected(s, "i", s.projections() - 1, x) : null;
    double[] bounds = bounds(s);
    double[][] kept = new double[x.length][inner];
    double[][] added = new double[x.length][inner];
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < inner; c++) {
        double in;
        switch (s.gates()) {
          case FORGET -> {
            kept[t][c] = bounds[c] + (1 - bounds[c]) * sigmoid(f[t][c]);
            in = 1 - kept[t][c];
          }
          case UPDATE -> {
            in = sigmoid(i[t][c]);
            kept[t][c] = 1 - in;
          }
          default -> {
            double both = sigmoid(f[t][c]) + sigmoid(i[t][c]);
            kept[t][c] = sigmoid(f[t][c]) / both;
            in = sigmoid(i[t][c]) / both;
          }
        }
        added[t][c] = in * candidate(s, candidates[t][c]);
      }
    }
    return new Shares(kept, added);
  }

  private static double candidate(GatedSpec s, double x) {
    return switch (s.candidate()) {
      case IDENTITY -> x;
      case SILU -> x * sigmoid(x);
      case TANH -> Math.tanh(x);
      case POSITIVE -> x >= 0 ? x + 0.5 : sigmoid(x);
    };
  }

  private static double[] bounds(GatedSpec s) {
    double[] bounds = new double[s.inner()];
    if (s.bounds() == null) {
      return bounds;
    }
    int layers = s.bounds().layers();
    double[][] logits = rows("bounds", layers, s.inner(), new Typical(0, 1));
    for (int c = 0; c < bounds.length; c++) {
      int channel = c;
      double all = Arrays.stream(logits).mapToDouble(row -> Math.exp(row[channel])).sum();
      for (int l = 1; l <= s.bounds().layer(); l++) {
        bounds[c] += Math.exp(logits[l][c]) / all;
      }
    }
    return bounds;
  }

  /** A projection of every row, convolved if the settings say so. */
  private static double[][] projected(GatedSpec s, String name, int place, double[][] x) {
    int inner = s.inner();
    double[][] in = new double[x.length][];
    double[] bias = s.biased() ? vector(name + ".bias", inner, Typical.BIAS) : new double[inner];
    for (int t = 0; t < x.length; t++) {
      in[t] = times(matrix(name, inner, WIDTH), x[t]);
      for (int c = 0; c < inner; c++) {
        in[t][c] += bias[c];
      }
    }
    if (s.taps() == 0) {
      return in;
    }
    double[][] taps = rows("conv", s.projections() * inner, s.taps(), new Typical(0, 0.5f));
    double[][] out = new double[x.length][inner];
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < inner; c++) {
        for (int tap = Math.max(0, s.taps() - 1 - t); tap < s.taps(); tap++) {
          out[t][c] += taps[place * inner + c][tap] * in[t - s.taps() + 1 + tap][c];
        }
      }
    }
    return out;
  }

  private static double[][] recurred(Shares shares) {
    double[][] h = new double[shares.kept.length][];
    double[] memory = new double[shares.kept[0].length];
    for (int t = 0; t < h.length; t++) {
      for (int c = 0; c < memory.length; c++) {
        memory[c] = shares.kept[t][c] * memory[c] + shares.added[t][c];
      }
      h[t] = memory.clone();
    }
    return h;
  }

  /** Every token looks back at every one before it, through the logarithms of what was kept. */
  private static double[][] summed(Shares shares) {
    int inner = shares.kept[0].length;
    double[][] logs = new double[shares.kept.length + 1][inner];
    double[][] h = new double[shares.kept.length][inner];
    for (int t = 0; t < h.length; t++) {
      for (int c = 0; c < inner; c++) {
        logs[t + 1][c] = logs[t][c] + Math.log(shares.kept[t][c]);
        for (int s = 0; s <= t; s++) {
          h[t][c] += Math.exp(logs[t + 1][c] - logs[s + 1][c]) * shares.added[s][c];
        }
      }
    }
    return h;
  }

  private static double[][] read(GatedSpec s, double[][] h, double[][] x) {
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] o = h[t].clone();
      if (s.norm() != null) {
        double[] weight = vector("norm", o.length, Typical.NORM);
        double mean = Arrays.stream(o).map(v -> v * v).sum() / o.length;
        double root = Math.sqrt(mean + s.norm().epsilon());
        Arrays.setAll(o, c -> o[c] * weight[c] / root);
      }
      if (s.gate() != null) {
        double[] gate = times(matrix("gate", o.length, WIDTH), x[t]);
        Arrays.setAll(o, c -> o[c] * gate[c] * sigmoid(gate[c]));
      }
      y[t] = s.projected() ? times(matrix("o", WIDTH, o.length), o) : o;
    }
    return y;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      GatedSpec spec = GatedSpec.read(Config.of("exact", settings));
      Shares shares = shares(spec, x);
      double[][] recurred = recurred(shares);
      double[][] summed = summed(shares);
      for (int t = 0; t < TOKENS; t++) {
        assertArrayEquals(summed[t], recurred[t], 1e-12, "token " + t);
      }
      laws(settings).aSequenceIs(read(spec, summed, x), x, 2e-5);
    }
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  /** Gates so far from 0 that neither of them is anything but 0 by itself. */
  @Test
  void gatesThatAreBothShutStillShareOne() {
    Map<String, Object> settings = unprojected(with(WIDTH, "both", "identity"));
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(1, 3);
      Arrays.setAll(x[0], c -> 1e4 * x[0][c]);
      float[] h = bench.run(bench.state(), x, 0)[0];
      double[] in = times(matrix("i", WIDTH, WIDTH), x[0]);
      double[] forget = times(matrix("f", WIDTH, WIDTH), x[0]);
      double[] candidates = times(matrix("x", WIDTH, WIDTH), x[0]);
      int shut = 0;
      for (int c = 0; c < WIDTH; c++) {
        if (in[c] < -800 && forget[c] < -800) {
          double share = sigmoid(in[c] - forget[c]);
          assertEquals(share * candidates[c], h[c], 1e-3 * Math.abs(candidates[c]), "" + c);
          shut++;
        }
      }
      assertTrue(shut > 0, "no channel has both gates shut");
    }
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "update | 3 | 1 | bounds are those of a forget gate, and gates=update",
        "forget | 3 | 3 | bounds.layer=3 of layers=3; layers are counted from 0",
        "forget | 3 | 0 | bounds.layer=0 must be a whole number from 1 to 2147483647",
        "neither | 3 | 1 | gates=\"neither\" is not supported; supported: forget, update, both",
      })
  void settingsThatCannotRunAreRefused(String gates, int layers, int layer, String message) {
    Map<String, Object> settings = with(8, gates, "silu");
    settings.put("bounds", Map.of("layers", layers, "layer", layer));
    Config config = Config.of("layer 0 gated-recurrence", settings);
    var e = assertThrows(ConfigException.class, () -> GatedSpec.read(config));
    assertEquals("layer 0 gated-recurrence: " + message, e.getMessage());
  }
}
