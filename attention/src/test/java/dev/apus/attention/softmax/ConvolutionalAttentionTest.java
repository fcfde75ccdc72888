package dev.apus.attention.softmax;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.attention.softmax.ConvolutionalAttention.Spec;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Convolutional attention against its formula, and the laws of a sequence. */
class ConvolutionalAttentionTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 53;

  private static Map<String, Object> with(Object... settings) {
    Map<String, Object> all =
        new LinkedHashMap<>(
            Map.of("heads", 4, "kvHeads", 2, "headDim", 6, "taps", 2, "headTaps", 2));
    for (int i = 0; i < settings.length; i += 2) {
      all.put((String) settings[i], settings[i + 1]);
    }
    return all;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with(),
        with("rope", Map.of("dims", 4), "window", 9),
        with("heads", 3, "kvHeads", 1, "taps", 1, "headTaps", 1, "biased", true),
        with("heads", 2, "taps", 4, "headTaps", 3, "outBiased", true),
        with("headDim", 1, "heads", 6, "taps", 3, "headTaps", 5, "biased", true, "scale", 2),
        with("headDim", 17, "taps", 1, "headTaps", 4));
  }

  private static MixerBench<ConvolvedCache> bench(Map<String, Object> settings) {
    return new MixerBench<>(new ConvolutionalAttention.Type(), settings, WIDTH);
  }

  private static Spec spec(Map<String, Object> settings) {
    return Spec.read(Config.of("convolutional-attention", settings), MixerBench.LIMIT);
  }

  /** The class's formula in double precision. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    Spec s = spec(settings);
    int half = s.half();
    Map<String, Object> attention = new LinkedHashMap<>(settings);
    attention.keySet().removeAll(List.of("taps", "headTaps"));
    var naive = new NaiveAttention(attention, WIDTH, MixerBench.LIMIT);
    double[][] p = new double[x.length][];
    double[][] q = new double[x.length][];
    double[][] k = new double[x.length][];
    double[][] v = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      p[t] = joined(projected(s, "q", s.queryCols(), x[t]), projected(s, "k", s.keyCols(), x[t]));
      double[] earlier = t == 0 ? new double[WIDTH] : x[t - 1];
      v[t] = joined(projected(s, "v.now", half, x[t]), projected(s, "v.before", half, earlier));
    }
    double[] temperature = vector("temperature", s.kvHeads(), Typical.NORM);
    for (int t = 0; t < x.length; t++) {
      double[] mixed = mixed(s, p, t);
      q[t] = Arrays.copyOf(mixed, s.queryCols());
      k[t] = Arrays.copyOfRange(mixed, s.queryCols(), s.channels());
      for (int i = 0; i < s.queryCols(); i++) {
        int keyHead = i / s.headDim() / s.group();
        int at = keyHead * s.headDim() + i % s.headDim();
        double past = (p[t][i] + p[t][s.queryCols() + at]) / 2;
        q[t][i] += past;
        k[t][at] += past / s.group();
      }
      for (int head = 0; head < s.heads(); head++) {
        unit(q[t], head * s.headDim(), s.headDim(), 1);
      }
      for (int head = 0; head < s.kvHeads(); head++) {
        unit(k[t], head * s.headDim(), s.headDim(), temperature[head]);
      }
      if (s.rope() != null) {
        naive.turn(q[t], t);
        naive.turn(k[t], t);
      }
    }
    double[][] o = naive.attended(q, k, v);
    double[][] w = matrix("o", WIDTH, s.queryCols());
    double[] bias = s.outBiased() ? vector("o.bias", WIDTH, Typical.BIAS) : new double[WIDTH];
    return Arrays.stream(o).map(row -> sum(times(w, row), bias)).toArray(double[][]::new);
  }

  private static double[] joined(double[] a, double[] b) {
    double[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  private static double[] sum(double[] a, double[] b) {
    double[] sum = new double[a.length];
    Arrays.setAll(sum, i -> a[i] + b[i]);
    return sum;
  }

  private static double[] projected(Spec s, String name, int outputs, double[] x) {
    double[] y = times(matrix(name, outputs, WIDTH), x);
    return s.biased() ? sum(y, vector(name + ".bias", outputs, Typical.BIAS)) : y;
  }

  /** Token t after both convolutions; tokens before the first are zeros to the first of them. */
  private static double[] mixed(Spec s, double[][] p, int t) {
    double[][] weight = matrix("mix", s.headTaps() * s.channels(), s.headDim());
    double[] y = vector("mix.bias", s.channels(), Typical.BIAS);
    for (int tap = 0; tap < s.headTaps(); tap++) {
      double[] c = convolved(s, p, t - s.headTaps() + 1 + tap);
      for (int i = 0; i < s.channels(); i++) {
        int head = i / s.headDim() * s.headDim();
        for (int j = 0; j < s.headDim(); j++) {
          y[i] += weight[tap * s.channels() + i][j] * c[head + j];
        }
      }
    }
    return y;
  }

  private static double[] convolved(Spec s, double[][] p, int t) {
    double[][] weight = rows("conv", s.channels(), s.taps(), new Typical(0, 0.5f));
    double[] y = vector("conv.bias", s.channels(), Typical.BIAS);
    for (int tap = 0; tap < s.taps(); tap++) {
      int from = t - s.taps() + 1 + tap;
      for (int i = 0; from >= 0 && i < y.length; i++) {
        y[i] += weight[i][tap] * p[from][i];
      }
    }
    return y;
  }

  private static void unit(double[] x, int at, int length, double scale) {
    double squares = 0;
    for (int i = at; i < at + length; i++) {
      squares += x[i] * x[i];
    }
    for (int i = at; i < at + length; i++) {
      x[i] *= scale * Math.sqrt(length / squares);
    }
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
  void itMayBeCutAnywhereWithTheSameBits(Map<String, Object> settings) {
    try (var bench = bench(settings)) {
      double[][] x = bench.tokens(TOKENS, 5);
      float[][] whole = bench.run(bench.state(), x, 0);
      for (int piece : new int[] {1, 2, 3, 16, 33}) {
        ConvolvedCache state = bench.state();
        for (int from = 0; from < TOKENS; from += piece) {
          int to = Math.min(TOKENS, from + piece);
          float[][] part = bench.run(state, Arrays.copyOfRange(x, from, to), from);
          for (int t = from; t < to; t++) {
            assertArrayEquals(whole[t], part[t - from], "token " + t);
          }
        }
      }
    }
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new ConvolutionalAttention.Type(), settings, WIDTH);
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("settings")
  void theLawsOfMixersHold(Map<String, Object> settings) throws IOException {
    MixerLaws laws = laws(settings);
    laws.neitherKernelsNorThreadsNorNeighboursShow();
    laws.aStateGoesOnWithTheSameBits();
    laws.aMarkMayTakeTheMemoryOfAnOldOne();
    laws.aShortFileIsRefusedBeforeAnythingChanges();
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(with("heads", 3), "heads=3 is not divisible by kvHeads=2"),
        of(
            with("heads", 3, "kvHeads", 1, "headDim", 5),
            "kvHeads=1 of headDim=5 values have no half that is of the token before"),
        of(
            with("taps", 1 << 30),
            "taps=1073741824 and headTaps=2 of all heads are more than 2^31 − 1 values"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(Map<String, Object> settings, String message) {
    var e = assertThrows(ConfigException.class, () -> spec(settings));
    assertEquals("convolutional-attention: " + message, e.getMessage());
  }
}
