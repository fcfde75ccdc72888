package dev.apus.attention.rwkv;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.attention.CacheFormat;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.DoubleUnaryOperator;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** RWKV-7's time mix against its formula in double precision, and the laws of its state. */
class Rwkv7TimeMixTest {

  private static final int WIDTH = 11;
  private static final int TOKENS = 41;

  private static Map<String, Object> with(String values, int heads, int keyDim, int valueDim) {
    Map<String, Object> settings =
        new TreeMap<>(
            Map.of(
                "values",
                values,
                "heads",
                heads,
                "keyDim",
                keyDim,
                "valueDim",
                valueDim,
                "decayRank",
                3,
                "rateRank",
                2,
                "gateRank",
                5));
    if (values.equals("mixed")) {
      settings.put("valueRank", 2);
    }
    return settings;
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        with("own", 3, 4, 4),
        with("given", 2, 5, 7),
        with("mixed", 2, 5, 7),
        with("mixed", 1, 9, 33));
  }

  private static Rwkv7Spec spec(Map<String, Object> settings) {
    return Rwkv7Spec.read(Config.of("exact", settings));
  }

  private static int inputs(Map<String, Object> settings) {
    return WIDTH + (settings.get("values").equals("own") ? 0 : spec(settings).valueCols());
  }

  private static MixerLaws laws(Map<String, Object> settings) {
    return new MixerLaws(new Rwkv7TimeMix.Type(), settings, inputs(settings), WIDTH);
  }

  private static MixerBench<?> bench(Map<String, Object> settings, int inputs) {
    return new MixerBench<>(
        new Rwkv7TimeMix.Type(), settings, inputs, WIDTH, Kernels.chosen(), CacheFormat.F32, 1);
  }

  private static double[] lowRank(
      String name, int outputs, int rank, boolean biased, DoubleUnaryOperator f, double[] x) {
    double[] latent = times(matrix(name + ".latent", rank, WIDTH), x);
    double[] y = times(matrix(name, outputs, rank), Arrays.stream(latent).map(f).toArray());
    double[] bias = biased ? vector(name + ".bias", outputs, Typical.BIAS) : new double[outputs];
    Arrays.setAll(y, i -> y[i] + bias[i]);
    return y;
  }

  /** The class's formula. */
  private static double[][] exact(Map<String, Object> settings, double[][] x) {
    Rwkv7Spec s = spec(settings);
    int keys = s.keyCols();
    int values = s.valueCols();
    double[] xi = vector("sought", keys, new Typical(0.7f, 0.2f));
    double[] alpha = vector("replaced", keys, new Typical(1, 0.2f));
    double[] rho = vector("bonus", keys, new Typical(0, 0.2f));
    double[] norm = vector("norm", values, Typical.NORM);
    double[] normBias = vector("norm.bias", values, Typical.BIAS);
    double[][][] memory = new double[s.heads()][s.keyDim()][s.valueDim()];
    double[][] y = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] row = x[t];
      double[] before = t == 0 ? new double[WIDTH] : x[t - 1];
      DoubleRows in = name -> shifted(name, row, before);
      double[] r = times(matrix("r", keys, WIDTH), in.of("r"));
      double[] k = times(matrix("k", keys, WIDTH), in.of("k"));
      double[] v = values(s, row, in);
      double[] w = lowRank("decay", keys, s.decayRank(), true, Math::tanh, in.of("w"));
      double[] a = lowRank("rate", keys, s.rateRank(), true, z -> z, in.of("a"));
      double[] g = lowRank("gate", values, s.gateRank(), false, MixerBench::sigmoid, in.of("g"));
      double[] o = new double[values];
      for (int head = 0; head < s.heads(); head++) {
        double[][] cells = memory[head];
        int first = head * s.keyDim();
        double length = 0;
        for (int i = first; i < first + s.keyDim(); i++) {
          length += Math.pow(k[i] * xi[i], 2);
        }
        double worth = 0;
        double[] read = new double[s.valueDim()];
        for (int j = 0; j < s.valueDim(); j++) {
          double held = 0;
          for (int i = 0; i < s.keyDim(); i++) {
            held += cells[i][j] * k[first + i] * xi[first + i] / Math.sqrt(length);
          }
          worth = 0;
          for (int i = 0; i < s.keyDim(); i++) {
            int at = first + i;
            double rate = sigmoid(a[at]);
            double unit = k[at] * xi[at] / Math.sqrt(length);
            double key = k[at] * (1 + (rate - 1) * alpha[at]);
            double kept = Math.exp(-Math.exp(-0.5) * sigmoid(w[at]));
            cells[i][j] =
                kept * cells[i][j] - rate * unit * held + key * v[head * s.valueDim() + j];
            read[j] += cells[i][j] * r[at];
            worth += r[at] * key * rho[at];
          }
        }
        double mean = Arrays.stream(read).average().orElseThrow();
        double variance =
            Arrays.stream(read).map(z -> (z - mean) * (z - mean)).average().orElseThrow();
        for (int j = 0; j < s.valueDim(); j++) {
          int at = head * s.valueDim() + j;
          double normed = (read[j] - mean) / Math.sqrt(variance + s.epsilon());
          o[at] = (normed * norm[at] + normBias[at] + worth * v[at]) * g[at];
        }
      }
      y[t] = times(matrix("o", WIDTH, values), o);
    }
    return y;
  }

  private interface DoubleRows {
    double[] of(String name);
  }

  private static double[] shifted(String name, double[] row, double[] before) {
    double[] shares = vector("shares." + name, WIDTH, new Typical(0.5f, 0.5f));
    double[] y = new double[WIDTH];
    Arrays.setAll(y, i -> row[i] + shares[i] * (before[i] - row[i]));
    return y;
  }

  private static double[] values(Rwkv7Spec s, double[] row, DoubleRows in) {
    int values = s.valueCols();
    double[] given = Arrays.copyOfRange(row, WIDTH, WIDTH + values);
    if (s.values() == Rwkv7Spec.Values.GIVEN) {
      return given;
    }
    double[] v = times(matrix("v", values, WIDTH), in.of("v"));
    if (s.values() == Rwkv7Spec.Values.MIXED) {
      double[] shares = lowRank("valueShares", values, s.valueRank(), true, z -> z, in.of("v"));
      Arrays.setAll(v, i -> v[i] + (given[i] - v[i]) * sigmoid(shares[i]));
    }
    return v;
  }

  /** Rows are of length about 3, outputs of about 1: a rounding is 6e-8 of what is summed. */
  @ParameterizedTest
  @MethodSource("settings")
  void isTheFormulaHoweverTheSequenceIsCut(Map<String, Object> settings) {
    try (var bench = bench(settings, inputs(settings))) {
      double[][] x = bench.tokens(TOKENS, 5);
      double[][] expected = exact(settings, x);
      double greatest =
          Arrays.stream(expected).flatMapToDouble(Arrays::stream).map(Math::abs).max().orElse(0);
      assertTrue(greatest > 0.1, "outputs of " + greatest + " say something");
      laws(settings).aSequenceIs(expected, x, 2e-5 * greatest);
    }
  }

  @ParameterizedTest
  @MethodSource("settings")
  void lawsHold(Map<String, Object> settings) throws IOException {
    laws(settings).hold();
  }

  @Test
  void rowsWithoutTheFirstValuesAreRefused() {
    Map<String, Object> settings = with("mixed", 2, 5, 7);
    var e = assertThrows(ConfigException.class, () -> bench(settings, WIDTH));
    assertTrue(e.getMessage().contains("the first layer's 14; found rows of 11"), e.getMessage());
  }
}
