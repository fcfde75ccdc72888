package dev.apus.attention.softmax;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.ConfigException;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.IntUnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Attention by way of landmarks against its formula, written out in double precision. */
class NystromAttentionTest {

  private static final int WIDTH = 11;
  private static final int HEADS = 3;
  private static final int DIM = 5;

  private static Map<String, Object> settings(int landmarks, int taps, boolean eachHead) {
    return Map.of(
        "heads",
        HEADS,
        "headDim",
        DIM,
        "landmarks",
        landmarks,
        "taps",
        taps,
        "eachHead",
        eachHead,
        "biased",
        true);
  }

  static Stream<Map<String, Object>> settings() {
    return Stream.of(
        settings(0, 0, false),
        settings(1, 0, false),
        settings(4, 0, false),
        settings(4, 1, true),
        settings(7, 9, false),
        settings(16, 3, true));
  }

  /** Lengths below, at and above the landmarks, that divide into segments and that do not. */
  @ParameterizedTest
  @MethodSource("settings")
  void isWhatTheFormulaSays(Map<String, Object> settings) {
    for (int tokens : new int[] {1, 4, 7, 16, 17, 28, 53}) {
      try (var bench = bench(settings)) {
        double[][] x = bench.tokens(tokens, 5);
        double[][] expected = formula(settings, x);
        float[][] y = bench.run(bench.state(tokens), x, 0);
        for (int i = 0; i < tokens; i++) {
          assertArrayEquals(expected[i], doubles(y[i]), 2e-4, tokens + " tokens, token " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @MethodSource("settings")
  void neitherKernelsNorThreadsNorNeighboursShow(Map<String, Object> settings) {
    new MixerLaws(new NystromAttention.Type(), settings, WIDTH)
        .neitherKernelsNorThreadsNorNeighboursShow();
  }

  /** Every token is moved by the last one, so they all look ahead. */
  @Test
  void allTokensSeeAllOthers() {
    try (var bench = bench(settings(4, 0, false))) {
      double[][] x = bench.tokens(9, 5);
      float[][] before = bench.run(bench.state(), x, 0);
      x[8][0] += 1;
      float[][] after = bench.run(bench.state(), x, 0);
      for (int i = 0; i < 9; i++) {
        assertEquals(false, Arrays.equals(before[i], after[i]), "token " + i);
      }
    }
  }

  @Test
  void anEvenNumberOfTapsHasNoMiddle() {
    var e = assertThrows(ConfigException.class, () -> bench(settings(4, 8, false)));
    assertEquals(
        "nystrom-attention: taps=8 must be odd: they reach as far ahead as back", e.getMessage());
  }

  private static MixerBench<KeyValueCache> bench(Map<String, Object> settings) {
    return new MixerBench<>(new NystromAttention.Type(), settings, WIDTH);
  }

  private static double[] doubles(float[] x) {
    return IntStream.range(0, x.length).mapToDouble(i -> x[i]).toArray();
  }

  private static double[][] formula(Map<String, Object> settings, double[][] x) {
    int landmarks = (int) settings.get("landmarks");
    int taps = (int) settings.get("taps");
    double[][] o = new double[x.length][HEADS * DIM];
    double[][][] q = heads("q", x);
    double[][][] k = heads("k", x);
    double[][][] v = heads("v", x);
    boolean exact = landmarks == 0 || x.length <= landmarks;
    double[][][] similarity = new double[HEADS][][];
    double most = 0;
    for (int h = 0; h < HEADS && !exact; h++) {
      similarity[h] = softmax(means(q[h], landmarks), means(k[h], landmarks));
      most = Math.max(most, largestColumn(similarity[h]));
    }
    double[][] filter = taps == 0 ? null : rows("taps", HEADS, taps, Typical.BIAS);
    for (int h = 0; h < HEADS; h++) {
      double[][] y;
      if (exact) {
        y = product(softmax(q[h], k[h]), v[h]);
      } else {
        boolean each = (boolean) settings.get("eachHead");
        double start = each ? largestColumn(similarity[h]) : most;
        double[][] left =
            product(softmax(q[h], means(k[h], landmarks)), inverse(similarity[h], start));
        y = product(left, product(softmax(means(q[h], landmarks), k[h]), v[h]));
      }
      for (int t = 0; t < x.length; t++) {
        for (int d = 0; d < DIM; d++) {
          o[t][h * DIM + d] = y[t][d];
          for (int j = 0; j < taps; j++) {
            int s = t + j - taps / 2;
            o[t][h * DIM + d] += s < 0 || s >= x.length ? 0 : filter[h][j] * v[h][s][d];
          }
        }
      }
    }
    double[] bias = vector("o.bias", WIDTH, Typical.BIAS);
    double[][] w = matrix("o", WIDTH, HEADS * DIM);
    return Arrays.stream(o).map(row -> sum(times(w, row), bias)).toArray(double[][]::new);
  }

  private static double[] sum(double[] a, double[] b) {
    return IntStream.range(0, a.length).mapToDouble(i -> a[i] + b[i]).toArray();
  }

  private static double[][][] heads(String name, double[][] x) {
    double[][] w = matrix(name, HEADS * DIM, WIDTH);
    double[] bias = vector(name + ".bias", HEADS * DIM, Typical.BIAS);
    double[][][] heads = new double[HEADS][x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] row = sum(times(w, x[t]), bias);
      for (int h = 0; h < HEADS; h++) {
        heads[h][t] = Arrays.copyOfRange(row, h * DIM, (h + 1) * DIM);
      }
    }
    return heads;
  }

  private static double[][] means(double[][] x, int landmarks) {
    int shorter = landmarks - x.length % landmarks;
    IntUnaryOperator start = i -> i * (x.length / landmarks) + (i > shorter ? i - shorter : 0);
    double[][] means = new double[landmarks][x[0].length];
    for (int i = 0; i < landmarks; i++) {
      int from = start.applyAsInt(i);
      int to = start.applyAsInt(i + 1);
      for (int t = from; t < to; t++) {
        for (int d = 0; d < x[0].length; d++) {
          means[i][d] += x[t][d] / (to - from);
        }
      }
    }
    return means;
  }

  private static double[][] softmax(double[][] q, double[][] k) {
    double[][] weights = new double[q.length][k.length];
    for (int i = 0; i < q.length; i++) {
      double sum = 0;
      for (int j = 0; j < k.length; j++) {
        double score = 0;
        for (int d = 0; d < DIM; d++) {
          score += q[i][d] * k[j][d] / Math.sqrt(DIM);
        }
        weights[i][j] = Math.exp(score);
        sum += weights[i][j];
      }
      for (int j = 0; j < k.length; j++) {
        weights[i][j] /= sum;
      }
    }
    return weights;
  }

  private static double largestColumn(double[][] a) {
    return IntStream.range(0, a.length)
        .mapToDouble(j -> Arrays.stream(a).mapToDouble(row -> row[j]).sum())
        .max()
        .orElseThrow();
  }

  private static double[][] inverse(double[][] a, double most) {
    int n = a.length;
    double[][] z = new double[n][n];
    for (int i = 0; i < n; i++) {
      for (int j = 0; j < n; j++) {
        z[i][j] = a[j][i] / most;
      }
    }
    for (int step = 0; step < 6; step++) {
      double[][] az = product(a, z);
      double[][] inner = az;
      for (int factor : List.of(7, 15)) {
        inner = product(az, minus(factor, inner));
      }
      z = product(z, minus(13, inner));
      for (double[] row : z) {
        Arrays.setAll(row, j -> 0.25 * row[j]);
      }
    }
    return z;
  }

  private static double[][] minus(int factor, double[][] a) {
    double[][] result = new double[a.length][a.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a.length; j++) {
        result[i][j] = (i == j ? factor : 0) - a[i][j];
      }
    }
    return result;
  }

  private static double[][] product(double[][] a, double[][] b) {
    double[][] c = new double[a.length][b[0].length];
    for (int i = 0; i < a.length; i++) {
      for (int k = 0; k < b.length; k++) {
        for (int j = 0; j < b[0].length; j++) {
          c[i][j] += a[i][k] * b[k][j];
        }
      }
    }
    return c;
  }
}
