package dev.apus.attention.softmax;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.times;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.FieldSource;

/** Attention to projected keys and values against its formula, in double precision. */
class LinformerAttentionTest {

  private static final int WIDTH = 11;
  private static final int HEADS = 3;
  private static final int DIM = 5;
  private static final int SLOTS = 7;

  static final List<String> sharings = List.of("none", "heads", "kv", "layers");

  private static Map<String, Object> settings(String sharing) {
    return Map.of("heads", HEADS, "headDim", DIM, "slots", SLOTS, "sharing", sharing);
  }

  private static MixerBench<KeyValueCache> bench(String sharing) {
    return new MixerBench<>(new LinformerAttention.Type(), settings(sharing), WIDTH);
  }

  @ParameterizedTest
  @FieldSource("sharings")
  void isWhatTheFormulaSays(String sharing) {
    for (int tokens : new int[] {1, 7, 53, MixerBench.LIMIT}) {
      try (var bench = bench(sharing)) {
        double[][] x = bench.tokens(tokens, 5);
        double[][] expected = formula(sharing, x);
        float[][] y = bench.run(bench.state(tokens), x, 0);
        for (int i = 0; i < tokens; i++) {
          float[] row = y[i];
          double[] found = IntStream.range(0, WIDTH).mapToDouble(c -> row[c]).toArray();
          assertArrayEquals(expected[i], found, 1e-5, tokens + " tokens, token " + i);
        }
      }
    }
  }

  @ParameterizedTest
  @FieldSource("sharings")
  void neitherKernelsNorThreadsNorNeighboursShow(String sharing) {
    new MixerLaws(new LinformerAttention.Type(), settings(sharing), WIDTH)
        .neitherKernelsNorThreadsNorNeighboursShow();
  }

  @Test
  void aTextMustFitTheMatrices() {
    try (var bench = bench("kv")) {
      var e =
          assertThrows(
              IllegalArgumentException.class, () -> bench.state(MixerBench.LIMIT + 1).close());
      assertEquals("a text of 201 tokens; linformer-attention reads at most 200", e.getMessage());
    }
  }

  private static double[][] formula(String sharing, double[][] x) {
    boolean each = sharing.equals("none");
    boolean one = sharing.equals("kv") || sharing.equals("layers");
    double[][] e = slots("e", each);
    double[][] f = one ? e : slots("f", each);
    double[][] o = new double[x.length][HEADS * DIM];
    for (int h = 0; h < HEADS; h++) {
      int first = each ? h * SLOTS : 0;
      double[][] q = head("q", h, x);
      double[][] k = projected(e, first, head("k", h, x));
      double[][] v = projected(f, first, head("v", h, x));
      for (int t = 0; t < x.length; t++) {
        double sum = 0;
        double[] y = new double[DIM];
        for (int slot = 0; slot < SLOTS; slot++) {
          double score = 0;
          for (int d = 0; d < DIM; d++) {
            score += q[t][d] * k[slot][d] / Math.sqrt(DIM);
          }
          double weight = Math.exp(score);
          sum += weight;
          for (int d = 0; d < DIM; d++) {
            y[d] += weight * v[slot][d];
          }
        }
        for (int d = 0; d < DIM; d++) {
          o[t][h * DIM + d] = y[d] / sum;
        }
      }
    }
    double[][] w = matrix("o", WIDTH, HEADS * DIM);
    return Arrays.stream(o).map(row -> times(w, row)).toArray(double[][]::new);
  }

  private static double[][] slots(String name, boolean each) {
    var typical = new Typical(0, (float) Math.sqrt(3.0 / MixerBench.LIMIT));
    return rows(name, each ? HEADS * SLOTS : SLOTS, MixerBench.LIMIT, typical);
  }

  private static double[][] head(String name, int h, double[][] x) {
    double[][] w = matrix(name, HEADS * DIM, WIDTH);
    return Arrays.stream(x)
        .map(row -> Arrays.copyOfRange(times(w, row), h * DIM, (h + 1) * DIM))
        .toArray(double[][]::new);
  }

  private static double[][] projected(double[][] e, int first, double[][] x) {
    double[][] result = new double[SLOTS][DIM];
    for (int slot = 0; slot < SLOTS; slot++) {
      for (int t = 0; t < x.length; t++) {
        for (int d = 0; d < DIM; d++) {
          result[slot][d] += e[first + slot][t] * x[t][d];
        }
      }
    }
    return result;
  }
}
