package dev.apus.ssm;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.MixerState;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.DataInputStream;
import java.io.DataOutputStream;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Mamba-2 against its formula, token by token, and the laws of its state. */
class Mamba2Test {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  /** Enough for the limit of the bench. */
  private static final int LEVELS = 9;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(
            Map.of("heads", 4, "headDim", 5, "groups", 2, "stateSize", 7, "taps", 4));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  private static Map<String, Object> norm(String over, boolean afterGate) {
    return Map.of("epsilon", 1e-5, "over", over, "afterGate", afterGate);
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("heads", 1, "headDim", 1, "groups", 1, "stateSize", 1, "taps", 1),
        with("norm", norm("row", true)),
        with("norm", norm("group", true)),
        with("norm", norm("row", false), "groups", 1),
        with("norm", norm("group", false), "convBiased", true),
        with("norm", Map.of("weighted", false), "biased", true, "outBiased", true),
        with("scales", List.of(0.5, 1.5, -0.75, 2, 1.25), "leastStep", 0.2, "mostStep", 0.6),
        with("headDim", 33, "stateSize", 16, "taps", 2, "activation", "relu"),
        with("levels", LEVELS),
        with("levels", LEVELS, "headDim", 33, "stateSize", 17, "groups", 1, "biased", true),
        with("levels", LEVELS, "norm", norm("group", true), "convBiased", true));
  }

  private static MixerBench<MixerState> bench(Map<String, Object> settings) {
    return new MixerBench<>(new Mamba2.Type(), settings, WIDTH);
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new Mamba2.Type(), settings, WIDTH);
  }

  /** The class's formula in double precision. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    var s = Mamba2Spec.read(Config.of("exact", settings));
    double[][] mixed = convolved(s, x);
    double[] decay = vector("decay", s.heads(), new Typical(-4, 3.9f));
    double[] dtBias = vector("dtBias", s.heads(), new Typical(-3, 1));
    double[] skip = vector("d", s.heads(), Typical.NORM);
    double[][] levels =
        s.levels() == 0 ? null : rows("levels", s.heads(), s.levels(), Typical.NORM);
    double[][] steps = new double[x.length][s.heads()];
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] dt = projected("dt", s.heads(), x[t], s.biased());
      double[] z = projected("z", s.inner(), x[t], s.biased());
      double[] read = new double[s.inner()];
      double[] weight =
          levels == null ? null : projected("level", s.heads() * s.levels(), x[t], s.biased());
      for (int head = 0; head < s.heads(); head++) {
        double step = softplus(dt[head] * s.scales().dt() + dtBias[head]);
        step = Math.clamp(step, s.leastStep(), s.mostStep());
        steps[t][head] = step;
        int b = s.inner() + head * s.groups() / s.heads() * s.stateSize();
        double fading = 1;
        for (int from = t; from >= 0; from--) {
          double near = 0;
          for (int i = 0; i < s.stateSize(); i++) {
            near += mixed[from][b + i] * mixed[t][b + s.shared() + i];
          }
          if (weight != null) {
            int level = level(from, t);
            near *= softplus(levels[head][level] * weight[head * s.levels() + level]);
          }
          for (int j = 0; j < s.headDim(); j++) {
            int at = head * s.headDim() + j;
            read[at] += near * fading * steps[from][head] * mixed[from][at];
          }
          fading *= Math.exp(steps[from][head] * decay[head]);
        }
        for (int j = 0; j < s.headDim(); j++) {
          int at = head * s.headDim() + j;
          read[at] += skip[head] * mixed[t][at];
        }
      }
      y[t] = projected("o", WIDTH, gated(s, read, z), s.outBiased());
    }
    return y;
  }

  /**
   * The level that token t finds an earlier one on: the paper's Fenwick tree takes from t, bit by
   * bit from the lowest, the stretch of tokens that the bit stands for.
   */
  private static int level(int from, int t) {
    int end = t;
    for (int level = 1; ; level++) {
      if (from >= end) {
        return level - 1;
      }
      end -= end & 1 << (level - 1);
    }
  }

  private static double softplus(double x) {
    return Math.max(0, x) + Math.log1p(Math.exp(-Math.abs(x)));
  }

  private static double[] projected(String name, int outputs, double[] x, boolean biased) {
    double[] y = times(matrix(name, outputs, x.length), x);
    double[] bias = biased ? vector(name + ".bias", outputs, Typical.BIAS) : new double[outputs];
    Arrays.setAll(y, i -> y[i] + bias[i]);
    return y;
  }

  private static double[] gated(Mamba2Spec s, double[] read, double[] z) {
    double[] gate =
        Arrays.stream(z).map(v -> s.scales().z() * v).map(v -> v * sigmoid(v)).toArray();
    double[] y = read.clone();
    if (s.norm() == null || s.normAfterGate()) {
      Arrays.setAll(y, i -> y[i] * gate[i]);
    }
    if (s.norm() != null) {
      double[] weight = new double[y.length];
      Arrays.fill(weight, 1);
      if (s.norm().weighted()) {
        weight = vector("norm", y.length, Typical.NORM);
      }
      int size = s.normByGroup() ? y.length / s.groups() : y.length;
      for (int from = 0; from < y.length; from += size) {
        double squares = 0;
        for (int i = from; i < from + size; i++) {
          squares += y[i] * y[i] / size;
        }
        for (int i = from; i < from + size; i++) {
          y[i] = y[i] / Math.sqrt(squares + s.norm().epsilon()) * weight[i];
        }
      }
      if (!s.normAfterGate()) {
        Arrays.setAll(y, i -> y[i] * gate[i]);
      }
    }
    return y;
  }

  private static double[][] convolved(Mamba2Spec s, double[][] x) {
    double[][] taps = rows("conv", s.channels(), s.taps(), new Typical(0, 0.5f));
    double[] bias =
        s.convBiased() ? vector("conv.bias", s.channels(), Typical.BIAS) : new double[s.channels()];
    double[][] in = new double[x.length][];
    Arrays.setAll(in, t -> scaled(s, projected("xbc", s.channels(), x[t], s.biased())));
    double[][] out = new double[x.length][s.channels()];
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < s.channels(); c++) {
        double sum = bias[c];
        for (int j = Math.max(0, s.taps() - 1 - t); j < s.taps(); j++) {
          sum += taps[c][j] * in[t - s.taps() + 1 + j][c];
        }
        boolean silu = s.activation().name().equals("SILU");
        out[t][c] = silu ? sum * sigmoid(sum) : Math.max(0, sum);
      }
    }
    return out;
  }

  private static double[] scaled(Mamba2Spec s, double[] xbc) {
    for (int i = 0; i < xbc.length; i++) {
      boolean isB = i < s.inner() + s.shared();
      xbc[i] *= i < s.inner() ? s.scales().x() : isB ? s.scales().b() : s.scales().c();
    }
    return xbc;
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void aSequenceIsWhatItsFormulaSays(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] expected = exact(settings, x);
      laws(settings).aSequenceIs(expected, x, 2e-5 * Math.max(1, largest(expected)));
    }
  }

  private static double largest(double[][] rows) {
    return Arrays.stream(rows).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElseThrow();
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    if (settings.containsKey("levels")) {
      laws(settings).holdWhileTheStateGrows();
    } else {
      laws(settings).hold();
    }
  }

  /** More tokens than a head takes at a time. */
  @Test
  void aLongRunIsWhatItsTokensAre() {
    try (var bench = bench(with("norm", norm("row", true)));
        MixerState whole = bench.state();
        MixerState single = bench.state()) {
      double[][] x = bench.tokens(MixerBench.LIMIT, 5);
      float[][] rows = bench.run(whole, x, 0);
      for (int t = 0; t < x.length; t++) {
        assertArrayEquals(rows[t], bench.run(single, new double[][] {x[t]}, t)[0], "token " + t);
      }
    }
  }

  /** A memory for each power of two that the sequence has come to, and none before that. */
  @Test
  void aStateGrowsByOneMemoryForEachPowerOfTwo() {
    long memory = 4L * 4 * 5 * 7;
    try (var bench = bench(with("levels", LEVELS));
        MixerState state = bench.state()) {
      long fixed = state.bytes();
      double[][] x = bench.tokens(70, 5);
      int levels = 0;
      for (int t = 0; t < x.length; t++) {
        bench.run(state, new double[][] {x[t]}, t);
        levels += Integer.bitCount(t + 1) == 1 ? 1 : 0;
        assertEquals(fixed + levels * memory, state.bytes(), "after token " + t);
      }
      assertEquals(7, levels);
    }
  }

  /** Marks from before and after a state has grown are good in any order, and so are files. */
  @Test
  void aStateThatHasGrownGoesBackAndForth() throws IOException {
    try (var bench = bench(with("levels", LEVELS));
        MixerState state = bench.state();
        MixerState other = bench.state()) {
      double[][] x = bench.tokens(60, 5);
      bench.run(state, Arrays.copyOf(x, 3), 0);
      MixerState.Mark early = state.mark(null);
      float[][] expected = bench.run(state, Arrays.copyOfRange(x, 3, 37), 3);
      MixerState.Mark late = state.mark(null);
      float[][] further = bench.run(state, Arrays.copyOfRange(x, 37, 60), 37);
      var written = new ByteArrayOutputStream();
      early.rewind();
      assertArrayEquals(expected, bench.run(state, Arrays.copyOfRange(x, 3, 37), 3));
      early.rewind();
      bench.run(state, bench.tokens(50, 8), 3);
      late.rewind();
      state.write(new DataOutputStream(written));
      assertArrayEquals(further, bench.run(state, Arrays.copyOfRange(x, 37, 60), 37));
      other.read(new DataInputStream(new ByteArrayInputStream(written.toByteArray())));
      assertArrayEquals(further, bench.run(other, Arrays.copyOfRange(x, 37, 60), 37));
    }
  }

  @Test
  void aSequenceThatIsLongerThanItsLevelsHoldIsRefused() {
    try (var bench = bench(with("levels", 7))) {
      bench.state(64).close();
      var e = assertThrows(IllegalArgumentException.class, () -> bench.state(65));
      assertEquals(
          "a sequence of 65 tokens is longer than the 64 that 7 levels of memory hold",
          e.getMessage());
    }
  }

  /** The last token that the levels hold, and a run that is cut just before it. */
  @Test
  void theLevelsHoldTheirLastToken() {
    Map<String, Object> settings = with("levels", 6);
    try (var bench = bench(settings);
        MixerState whole = bench.state(32);
        MixerState cut = bench.state(32)) {
      double[][] x = bench.tokens(32, 5);
      float[][] expected = bench.run(whole, x, 0);
      bench.run(cut, Arrays.copyOf(x, 31), 0);
      float[][] last = bench.run(cut, Arrays.copyOfRange(x, 31, 32), 31);
      assertArrayEquals(expected[31], last[0]);
      double[][] exact = exact(settings, x);
      for (int j = 0; j < WIDTH; j++) {
        assertEquals(exact[31][j], last[0][j], 2e-5 * Math.max(1, largest(exact)));
      }
    }
  }

  /** What the norm takes its mean over shows as soon as there are two groups, and not before. */
  @Test
  void groupsHaveMeansOfTheirOwn() {
    for (int groups : new int[] {1, 2}) {
      float[][] row = answers(with("groups", groups, "norm", norm("row", true)));
      float[][] group = answers(with("groups", groups, "norm", norm("group", true)));
      assertEquals(groups == 1, Arrays.deepEquals(row, group));
    }
  }

  private static float[][] answers(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      return bench.run(bench.state(), bench.tokens(TOKENS, 5), 0);
    }
  }

  /** Steps at both of their ends: memories that are forgotten at once, and such as never are. */
  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-20, 1e4})
  void extremeInputsGiveFiniteAnswers(double scale) {
    try (var bench = bench(with())) {
      double[][] x = bench.tokens(TOKENS, 5);
      for (double[] row : x) {
        Arrays.setAll(row, i -> (float) (scale * row[i]));
      }
      double[][] expected = exact(with(), x);
      float[][] actual = bench.run(bench.state(), x, 0);
      for (int t = 0; t < TOKENS; t++) {
        double size = Arrays.stream(expected[t]).map(Math::abs).max().orElseThrow();
        for (int j = 0; j < WIDTH; j++) {
          assertTrue(Float.isFinite(actual[t][j]), "token " + t);
          assertEquals(expected[t][j], actual[t][j], 1e-3 * size + 1e-30, "token " + t);
        }
      }
    }
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with("groups", 3), "heads=4 is not divisible by groups=3"),
        of(with("levels", 1), "levels=1 must be 0, or from 2 to 31"),
        of(with("levels", 32), "levels=32 must be 0, or from 2 to 31"),
        of(with("taps", 0), "taps=0 must be a whole number from 1 to 2147483647"),
        of(
            with("scales", List.of(1, 2)),
            "scales=[1.0, 2.0] must be five numbers, for z, x, B, C and dt in this order"),
        of(
            with("leastStep", 2, "mostStep", 1),
            "leastStep=2.0 and mostStep=1.0 hold no step above 0"),
        of(
            with("norm", Map.of("over", "head")),
            "norm.over=\"head\" is not supported; supported: row, group"),
        of(
            with("heads", 65_536, "headDim", 65_536),
            "taps=4 of heads=65536 of headDim=65536 and groups=2 of stateSize=7 are more than"
                + " 2^31 − 1 values"),
        of(
            with("heads", 4096, "headDim", 64, "stateSize", 16_384),
            "heads=4096 of stateSize=16384 by headDim=64 are more than 2^31 − 1 values"));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e =
        assertThrows(
            ConfigException.class, () -> Mamba2Spec.read(Config.of("layer 0 mamba2", settings)));
    assertEquals("layer 0 mamba2: " + message, e.getMessage());
  }
}
