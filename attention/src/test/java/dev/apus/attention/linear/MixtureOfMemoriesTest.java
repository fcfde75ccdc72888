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
import dev.apus.core.model.RecurrentStates;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Mixtures of memories against their formula, memory by memory, and the laws of their state. */
class MixtureOfMemoriesTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all = new LinkedHashMap<>();
    all.put("memories", 4);
    all.put("top", 2);
    all.put("keyHeads", 2);
    all.put("keyDim", 5);
    all.put("valueDim", 7);
    all.put("taps", 3);
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("shared", true),
        with("apart", false),
        with("apart", false, "shared", true, "gate", "none"),
        with("memories", 1, "top", 1, "taps", 1),
        with("memories", 9, "top", 1, "shared", true, "valueHeads", 4),
        with("memories", 3, "top", 3, "keyDim", 17, "valueDim", 33),
        with("taps", 0, "beta", false, "gateLatent", 3),
        with("apart", false, "beta", false, "decay", "none"),
        with("decay", "key", "shared", true));
  }

  private static MixerBench<RecurrentStates> bench(Map<String, Object> settings) {
    return new MixerBench<>(new MixtureOfMemories.Type(), settings, WIDTH);
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new MixtureOfMemories.Type(), settings, WIDTH);
  }

  /** A memory's own projections, by the index of a weight of several, or those all have. */
  private static double[] side(MemoriesSpec s, String name, int outputs, int memory, double[] x) {
    boolean own = s.apart() && memory < s.memories();
    double[][] w =
        own
            ? rows("memory." + name, memory, outputs, WIDTH, null)
            : matrix("shared." + name, outputs, WIDTH);
    return times(w, x);
  }

  /** The class's formula in double precision: which tokens a memory gets, then what it gives. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    var s = MemoriesSpec.read(Config.of("exact", settings));
    DeltaSpec d = s.delta();
    double[][] o = new double[x.length][d.valueCols()];
    double[][] shares = new double[x.length][s.all()];
    for (int t = 0; t < x.length; t++) {
      double[] logits = times(matrix("router", s.memories(), WIDTH), x[t]);
      int[] best =
          IntStream.range(0, s.memories())
              .boxed()
              .sorted((a, b) -> Double.compare(logits[b], logits[a]))
              .limit(s.top())
              .mapToInt(m -> m)
              .toArray();
      double sum = Arrays.stream(best).mapToDouble(m -> Math.exp(logits[m])).sum();
      for (int m : best) {
        shares[t][m] = Math.exp(logits[m]) / sum;
      }
      if (s.shared()) {
        shares[t][s.memories()] = 1;
      }
    }
    for (int m = 0; m < s.all(); m++) {
      List<Integer> sent = new ArrayList<>();
      for (int t = 0; t < x.length; t++) {
        if (shares[t][m] > 0) {
          sent.add(t);
        }
      }
      double[][] read = memory(s, m, sent.stream().map(t -> x[t]).toArray(double[][]::new));
      for (int i = 0; i < read.length; i++) {
        int t = sent.get(i);
        for (int j = 0; j < o[t].length; j++) {
          o[t][j] += shares[t][m] * read[i][j];
        }
      }
    }
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      y[t] = times(matrix("o", WIDTH, d.valueCols()), gated(d, o[t], x[t]));
    }
    return y;
  }

  /** What the tokens that are sent to a memory read of it. */
  private static double[][] memory(MemoriesSpec s, int m, double[][] x) {
    DeltaSpec d = s.delta();
    double[] rate = vector("decay", d.valueHeads(), new Typical(-4, 3.9f));
    int decays = d.valueHeads() * d.decays();
    double[] dtBias = vector("dtBias", decays, new Typical(-3, 1));
    double[][][] memory = new double[d.valueHeads()][d.keyDim()][d.valueDim()];
    double[][] mixed = convolved(s, m, x);
    double[][] read = new double[x.length][d.valueCols()];
    for (int t = 0; t < x.length; t++) {
      double[] a = decays == 0 ? null : side(s, "a", decays, m, x[t]);
      double[] b = d.beta() ? side(s, "b", d.valueHeads(), m, x[t]) : null;
      for (int head = 0; head < d.valueHeads(); head++) {
        int keyHead = head * d.keyHeads() / d.valueHeads();
        double[] q = unit(mixed[t], keyHead * d.keyDim(), d.keyDim());
        double[] k = unit(mixed[t], d.keyCols() + keyHead * d.keyDim(), d.keyDim());
        for (int j = 0; j < d.valueDim(); j++) {
          double held = 0;
          for (int i = 0; i < d.keyDim(); i++) {
            int at = decays == 0 ? 0 : head * d.decays() + i % d.decays();
            double alpha =
                decays == 0 ? 1 : Math.exp(rate[head] * Math.log1p(Math.exp(a[at] + dtBias[at])));
            memory[head][i][j] *= alpha;
            held += memory[head][i][j] * k[i];
          }
          double beta = b == null ? 1 : sigmoid(b[head]);
          int col = head * d.valueDim() + j;
          double u = beta * (mixed[t][2 * d.keyCols() + col] - held);
          for (int i = 0; i < d.keyDim(); i++) {
            memory[head][i][j] += k[i] * u;
            read[t][col] += memory[head][i][j] * q[i] / Math.sqrt(d.keyDim());
          }
        }
      }
    }
    return read;
  }

  private static double[][] convolved(MemoriesSpec s, int m, double[][] x) {
    DeltaSpec d = s.delta();
    double[][] taps =
        d.taps() == 0 ? null : rows("conv", d.channels(), d.taps(), new Typical(0, 0.5f));
    double[][] in = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      in[t] =
          Stream.of(
                  times(matrix("q", d.keyCols(), WIDTH), x[t]),
                  side(s, "k", d.keyCols(), m, x[t]),
                  side(s, "v", d.valueCols(), m, x[t]))
              .flatMapToDouble(Arrays::stream)
              .toArray();
    }
    double[][] out = new double[x.length][d.channels()];
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < d.channels(); c++) {
        double sum = taps == null ? in[t][c] : 0;
        for (int j = Math.max(0, d.taps() - 1 - t); j < d.taps(); j++) {
          sum += taps[c][j] * in[t - d.taps() + 1 + j][c];
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

  private static double[] gated(DeltaSpec d, double[] o, double[] x) {
    double[] norm = vector("norm", d.valueDim(), Typical.NORM);
    double[] in = d.gateLatent() == 0 ? x : times(matrix("z.latent", d.gateLatent(), WIDTH), x);
    double[] z = times(matrix("z", d.valueCols(), in.length), in);
    double[] y = new double[o.length];
    for (int head = 0; head < d.valueHeads(); head++) {
      int from = head * d.valueDim();
      double squares =
          Arrays.stream(o, from, from + d.valueDim()).map(v -> v * v).average().orElseThrow();
      for (int j = 0; j < d.valueDim(); j++) {
        int at = from + j;
        double gate = d.gate() == null ? 1 : z[at] * sigmoid(z[at]);
        y[at] = o[at] / Math.sqrt(squares + d.epsilon()) * norm[j] * gate;
      }
    }
    return y;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] expected = exact(settings, x);
      double size =
          Arrays.stream(expected)
              .flatMapToDouble(Arrays::stream)
              .map(Math::abs)
              .max()
              .orElseThrow();
      laws(settings).aSequenceIs(expected, x, 5e-5 * Math.max(1, size));
    }
  }

  /** Also with rules whose formula is tested with the Gated DeltaNet that has them. */
  static Stream<Map<String, Object>> rules() {
    return Stream.concat(
        settings(),
        Stream.of(
            with("steps", 2, "shared", true),
            with("steps", 3, "apart", false),
            with("feedback", true)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rules")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  /** Every cut keeps the bits, though it falls anywhere among a memory's tokens. */
  @Test
  void thereIsNoGrain() {
    try (var bench = bench(with("shared", true))) {
      assertEquals(1, bench.grain());
    }
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with("top", 5), "top=5 is more than memories=4"),
        of(
            with("decayLatent", 3),
            "decayLatent=3 is not supported; supported: 0, decays of the row itself"),
        of(
            with("channelGates", true),
            "channelGates=true is not supported; supported: false, one strength of each head"),
        of(with("valueHeads", 3), "valueHeads=3 is not divisible by keyHeads=2"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class, () -> MemoriesSpec.read(Config.of("layer 0 mom", settings)));
    assertEquals("layer 0 mom: " + message, e.getMessage());
  }
}
