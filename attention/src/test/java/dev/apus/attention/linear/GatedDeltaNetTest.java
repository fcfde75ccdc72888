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
import dev.apus.kernels.activation.Activation;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Gated DeltaNet against its formula, token by token, and the laws of its state. */
class GatedDeltaNetTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(Map.of("keyHeads", 2, "keyDim", 5, "valueDim", 7, "taps", 4));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("keyHeads", 1, "keyDim", 1, "valueDim", 1, "taps", 1),
        with("valueHeads", 6),
        with("valueHeads", 6, "sharing", "turns"),
        with("betaScale", 2, "gate", "sigmoid"),
        with("keyHeads", 3, "valueHeads", 3, "keyDim", 16, "valueDim", 33, "taps", 2),
        with("taps", 9, "epsilon", 0.5),
        with("decay", "key"),
        with("decay", "key", "valueHeads", 4, "decayLatent", 3, "gateLatent", 2, "gate", "sigmoid"),
        with("decayLatent", 1, "keyDim", 17),
        with("decayBound", -5),
        with("decay", "key", "decayBound", -0.25, "gateLatent", 6),
        with("decay", "none", "gate", "none"),
        with("beta", false, "taps", 0),
        with("gateLatent", 3, "gateBiased", true, "taps", 0),
        with("steps", 3),
        with("steps", 2, "decay", "none", "valueHeads", 4, "betaScale", 2),
        with("feedback", true),
        with("feedback", true, "valueHeads", 6, "innerDecay", false, "gate", "sigmoid"),
        with("feedback", true, "correction", false, "taps", 0),
        with("channelGates", true, "decay", "key", "betaScale", 2),
        with("channelGates", true, "decay", "head", "gate", "sigmoid"),
        with("channelGates", true, "decay", "none", "taps", 0));
  }

  private static MixerBench<RecurrentState> bench(Map<String, Object> settings) {
    return new MixerBench<>(new GatedDeltaNet.Type(), settings, WIDTH);
  }

  /** The class's formula in double precision. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    return exact(settings, x, DoubleUnaryOperator.identity());
  }

  private static double[][] exact(
      Map<String, Object> settings, double[][] x, DoubleUnaryOperator rounding) {
    var s = DeltaSpec.read(Config.of("exact", settings));
    double[][] mixed = convolved(s, x);
    double[] decay = vector("decay", s.valueHeads(), new Typical(-4, 3.9f));
    int decays = s.valueHeads() * s.decays();
    double[] dtBias = vector("dtBias", decays, new Typical(-3, 1));
    double[] norm = vector("norm", s.valueDim(), Typical.NORM);
    double[][][] memory = new double[s.valueHeads()][s.keyDim()][s.valueDim()];
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] a = decays == 0 ? null : lowRank("a", decays, s.decayLatent(), x[t]);
      double[] b = times(matrix("b", s.strengths(), WIDTH), x[t]);
      double[] w = s.channelGates() ? times(matrix("w", s.valueCols(), WIDTH), x[t]) : null;
      double[] z = gates(s, x[t]);
      double[] o = new double[s.valueCols()];
      for (int head = 0; head < s.valueHeads(); head++) {
        int keyHead = head * s.keyHeads() / s.valueHeads();
        if ("turns".equals(settings.get("sharing"))) {
          keyHead = head % s.keyHeads();
        }
        double[] q = Arrays.copyOfRange(mixed[t], keyHead * s.keyDim(), (keyHead + 1) * s.keyDim());
        double[] p = s.feedback() ? feedback(s, mixed[t], keyHead, q) : null;
        q = unit(q, 0, s.keyDim(), 1 / Math.sqrt(s.keyDim()));
        double[] alpha = new double[s.keyDim()];
        Arrays.fill(alpha, 1);
        for (int i = 0; decays > 0 && i < alpha.length; i++) {
          int at = head * s.decays() + i % s.decays();
          double rate = a[at] + dtBias[at];
          alpha[i] =
              s.decayBound() == 0
                  ? Math.exp(decay[head] * Math.log1p(Math.exp(rate)))
                  : Math.exp(s.decayBound() * sigmoid(-decay[head] * rate));
        }
        double[] read = null;
        for (int step = 0; step < s.steps(); step++) {
          int kAt = (1 + step) * s.keyCols() + keyHead * s.keyDim();
          double[] k = unit(mixed[t], kAt, s.keyDim(), 1);
          int vAt = s.firstValue() + step * s.valueCols() + head * s.valueDim();
          double[] v = Arrays.copyOfRange(mixed[t], vAt, vAt + s.valueDim());
          if (s.channelGates()) {
            int key = head * s.keyDim();
            int value = head * s.valueDim();
            double[] erasing = new double[s.keyDim()];
            Arrays.setAll(erasing, i -> s.betaScale() * sigmoid(b[key + i]) * k[i]);
            Arrays.setAll(v, j -> sigmoid(w[value + j]) * v[j]);
            read = erase(memory[head], alpha, q, k, erasing, v, rounding);
            continue;
          }
          double strength = s.beta() ? sigmoid(b[step * s.valueHeads() + head]) : 1;
          read = step(memory[head], alpha, s.betaScale() * strength, q, k, p, v, rounding);
          Arrays.fill(alpha, 1);
        }
        double squares = 0;
        for (double value : read) {
          squares += value * value / read.length;
        }
        for (int j = 0; j < read.length; j++) {
          int at = head * read.length + j;
          o[at] = read[j] / Math.sqrt(squares + s.epsilon()) * norm[j] * z[at];
        }
      }
      y[t] = times(matrix("o", WIDTH, o.length), o);
    }
    return y;
  }

  private static double[] gates(DeltaSpec s, double[] x) {
    double[] z = lowRank("z", s.valueCols(), s.gateLatent(), x);
    double[] bias =
        s.gateBiased() ? vector("z.bias", z.length, Typical.BIAS) : new double[z.length];
    Arrays.setAll(z, i -> gate(s.gate(), z[i] + bias[i]));
    return z;
  }

  private static double gate(Activation function, double z) {
    if (function == null) {
      return 1;
    }
    return function == Activation.SILU ? z * sigmoid(z) : sigmoid(z);
  }

  private static double[] lowRank(String name, int outputs, int rank, double[] x) {
    double[] in = rank == 0 ? x : times(matrix(name + ".latent", rank, WIDTH), x);
    return times(matrix(name, outputs, in.length), in);
  }

  /** The key that is read with before the memory decays; takes a share of it from the query. */
  private static double[] feedback(DeltaSpec s, double[] mixed, int head, double[] q) {
    Typical typical = new Typical(0, 1);
    double shrinking =
        s.innerDecay() ? sigmoid(vector("innerDecay", s.keyHeads(), typical)[head]) : 1;
    double correction =
        s.correction() ? vector("correction", s.keyHeads(), new Typical(0.5f, 0.4f))[head] : 0;
    double[] p = new double[s.keyDim()];
    Arrays.setAll(p, i -> shrinking * mixed[s.keyCols() + head * s.keyDim() + i]);
    Arrays.setAll(q, i -> q[i] - correction * p[i]);
    return unit(p, 0, p.length, 1);
  }

  private static double[] step(
      double[][] memory,
      double[] alpha,
      double beta,
      double[] q,
      double[] k,
      double[] p,
      double[] v,
      DoubleUnaryOperator rounding) {
    double[] o = new double[v.length];
    for (int j = 0; j < v.length; j++) {
      double held = 0;
      for (int i = 0; i < k.length; i++) {
        held += p == null ? 0 : memory[i][j] * p[i];
        memory[i][j] = rounding.applyAsDouble(memory[i][j] * alpha[i]);
        held += p == null ? memory[i][j] * k[i] : 0;
      }
      for (int i = 0; i < k.length; i++) {
        memory[i][j] += k[i] * beta * (v[j] - rounding.applyAsDouble(held));
        o[j] += memory[i][j] * q[i];
      }
    }
    return o;
  }

  /** The step of Gated DeltaNet 2, in the words of its paper. */
  private static double[] erase(
      double[][] memory,
      double[] alpha,
      double[] q,
      double[] k,
      double[] erasing,
      double[] v,
      DoubleUnaryOperator rounding) {
    double[] o = new double[v.length];
    for (int j = 0; j < v.length; j++) {
      double erased = 0;
      for (int i = 0; i < k.length; i++) {
        memory[i][j] = rounding.applyAsDouble(memory[i][j] * alpha[i]);
        erased += memory[i][j] * erasing[i];
      }
      for (int i = 0; i < k.length; i++) {
        memory[i][j] += k[i] * (v[j] - rounding.applyAsDouble(erased));
        o[j] += memory[i][j] * q[i];
      }
    }
    return o;
  }

  private static double[] unit(double[] x, int at, int length, double scale) {
    double squares = 1e-6;
    for (int i = at; i < at + length; i++) {
      squares += x[i] * x[i];
    }
    double[] result = Arrays.copyOfRange(x, at, at + length);
    double factor = scale / Math.sqrt(squares);
    Arrays.setAll(result, i -> result[i] * factor);
    return result;
  }

  private static double[][] convolved(DeltaSpec s, double[][] x) {
    double[][] taps =
        s.taps() == 0 ? null : rows("conv", s.channels(), s.taps(), new Typical(0, 0.5f));
    double[][] in = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      in[t] =
          Stream.of(
                  times(matrix("q", s.keyCols(), WIDTH), x[t]),
                  times(matrix("k", s.steps() * s.keyCols(), WIDTH), x[t]),
                  times(matrix("v", s.steps() * s.valueCols(), WIDTH), x[t]))
              .flatMapToDouble(Arrays::stream)
              .toArray();
    }
    double[][] out = new double[x.length][s.channels()];
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < s.channels(); c++) {
        double sum = taps == null ? in[t][c] : 0;
        for (int j = Math.max(0, s.taps() - 1 - t); j < s.taps(); j++) {
          sum += taps[c][j] * in[t - s.taps() + 1 + j][c];
        }
        out[t][c] = sum * sigmoid(sum);
      }
    }
    return out;
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new GatedDeltaNet.Type(), settings, WIDTH);
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

  /**
   * Gates at both of their ends: memories that are forgotten at once, and such as never are. What
   * is read then may be the little that is left of a large difference, and the norm makes it large
   * again; so answers may differ by as much as roundings of inputs, memories and what these hold
   * move the formula.
   */
  @ParameterizedTest
  @CsvSource({"0, 5", "1e-20, 5", "1e4, 5", "1e4, 6", "1e4, 12", "1e4, 21"})
  void extremeInputsGiveFiniteAnswers(double scale, long seed) {
    try (var bench = bench(with())) {
      double[][] x = bench.tokens(TOKENS, seed);
      for (double[] row : x) {
        Arrays.setAll(row, i -> (float) (scale * row[i]));
      }
      double[][] expected = exact(with(), x);
      double[] moved = moved(x, expected);
      float[][] actual = bench.run(bench.state(), x, 0);
      for (int t = 0; t < TOKENS; t++) {
        double size = Arrays.stream(expected[t]).map(Math::abs).max().orElseThrow();
        double tolerance = 8 * moved[t] + 1e-6 * size + 1e-30;
        for (int j = 0; j < WIDTH; j++) {
          assertEquals(expected[t][j], actual[t][j], tolerance, "token " + t);
        }
      }
    }
  }

  /** How far roundings to floats move the formula at most, for each token. */
  private static double[] moved(double[][] x, double[][] expected) {
    double[] farthest = new double[x.length];
    for (int draw = 0; draw < 16; draw++) {
      var random = new SplittableRandom(draw);
      DoubleUnaryOperator rounding = value -> value * (1 + random.nextDouble(-1, 1) * 0x1p-24);
      double[][] inputs = new double[x.length][];
      Arrays.setAll(inputs, t -> Arrays.stream(x[t]).map(rounding).toArray());
      double[][] y = exact(with(), inputs, rounding);
      Arrays.setAll(farthest, t -> Math.max(farthest[t], farthest(expected[t], y[t])));
    }
    return farthest;
  }

  private static double farthest(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> Math.abs(a[i] - b[i])).max().orElseThrow();
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(
            with("channelGates", true, "valueHeads", 4),
            "channelGates=true needs feedback=false, steps=1 and as many valueHeads as keyHeads;"
                + " found feedback=false, steps=1, valueHeads=4, keyHeads=2"),
        of(with("valueHeads", 3), "valueHeads=3 is not divisible by keyHeads=2"),
        of(with("valueHeads", 1), "valueHeads=1 is not divisible by keyHeads=2"),
        of(with("taps", -1), "taps=-1 must be a whole number from 0 to 2147483647"),
        of(with("decay", "value"), "decay=\"value\" is not supported; supported: head, key, none"),
        of(with("feedback", true, "steps", 2), "feedback=true needs steps=1, found steps=2"),
        of(with("decayBound", 5), "decayBound=5.0 must not be positive: a decay is at most 1"),
        of(with("gate", "relu"), "gate=\"relu\" is not supported; supported: silu, sigmoid, none"),
        of(
            with("keyHeads", 65_536, "keyDim", 65_536),
            "queries, keys and values are more than 2^31 − 1 values a row"),
        of(
            with("keyHeads", 2, "valueHeads", 2, "keyDim", 32_768, "valueDim", 32_768),
            "valueHeads=2 of keyDim=32768 by valueDim=32768 are more than 2^31 − 1 values"),
        of(
            with("keyHeads", 1, "valueHeads", 1, "keyDim", 8, "valueDim", 16, "taps", 67_108_864),
            "taps=67108864 of 32 queries, keys and values are more than 2^31 − 1 values"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class, () -> DeltaSpec.read(Config.of("layer 0 delta", settings)));
    assertEquals("layer 0 delta: " + message, e.getMessage());
  }
}
