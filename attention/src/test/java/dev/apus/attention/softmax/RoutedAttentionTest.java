package dev.apus.attention.softmax;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.times;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.model.Visibility;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.IntPredicate;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Attention inside clusters against its definition in double precision, with masks. */
class RoutedAttentionTest {

  private static final int WIDTH = 11;
  private static final int HEADS = 2;
  private static final int DIM = 6;
  private static final int CLUSTERS = 5;
  private static final int TOP = 7;

  private static final Map<String, Object> SETTINGS =
      Map.of("heads", HEADS, "headDim", DIM, "clusters", CLUSTERS, "top", TOP);

  private static MixerBench<NumberedCache> bench(Visibility visibility) {
    return new MixerBench<NumberedCache>(new RoutedAttention.Type(), SETTINGS, WIDTH)
        .seeing(visibility);
  }

  @ParameterizedTest
  @CsvSource({"1", "2", "7", "8", "31", "61"})
  void aTextIsClusteredAsAWhole(int tokens) {
    for (Visibility visibility : List.of(Visibility.CAUSAL, Visibility.BIDIRECTIONAL)) {
      try (var bench = bench(visibility)) {
        double[][] x = bench.tokens(tokens, 5);
        double[][] expected = new double[tokens][];
        for (int i = 0; i < tokens; i++) {
          expected[i] = formula(x, i, visibility == Visibility.CAUSAL ? i : tokens - 1);
        }
        assertClose(expected, bench.run(bench.state(tokens), x, 0));
      }
    }
  }

  @ParameterizedTest
  @CsvSource({"1", "6", "7", "20"})
  void whatFollowsIsClusteredByWhatCameBefore(int first) {
    try (var bench = bench(Visibility.CAUSAL)) {
      double[][] x = bench.tokens(40, 7);
      var state = bench.state();
      bench.run(state, Arrays.copyOf(x, first), 0);
      float[][] found = bench.run(state, Arrays.copyOfRange(x, first, 40), first);
      double[][] expected = new double[40 - first][];
      for (int i = first; i < 40; i++) {
        expected[i - first] = formula(Arrays.copyOf(x, i + 1), i, i);
      }
      assertClose(expected, found);
    }
  }

  /** Equal tokens are taken in their order, and those that no cluster takes get nothing. */
  @Test
  void ofEqualTokensTheFirstAreTaken() {
    try (var bench = bench(Visibility.CAUSAL)) {
      double[][] x = new double[TOP + 3][];
      Arrays.fill(x, bench.tokens(1, 3)[0]);
      float[][] y = bench.run(bench.state(), x, 0);
      for (int i = 0; i < x.length; i++) {
        boolean nothing = IntStream.range(0, WIDTH).allMatch(zero(y[i]));
        assertEquals(i >= TOP, nothing, "token " + i);
      }
    }
  }

  private static IntPredicate zero(float[] row) {
    return i -> row[i] == 0;
  }

  @Test
  void neitherKernelsNorThreadsNorNeighboursShow() {
    new MixerLaws(new RoutedAttention.Type(), SETTINGS, WIDTH)
        .neitherKernelsNorThreadsNorNeighboursShow();
  }

  @Test
  void theFirstRunIsOne() {
    try (var bench = bench(Visibility.CAUSAL)) {
      assertEquals(Integer.MAX_VALUE, bench.grain());
      assertTrue(bench.bytesPerToken() > 4 * HEADS * CLUSTERS);
    }
  }

  private static void assertClose(double[][] expected, float[][] found) {
    for (int i = 0; i < expected.length; i++) {
      float[] row = found[i];
      double[] values = IntStream.range(0, WIDTH).mapToDouble(c -> row[c]).toArray();
      assertArrayEquals(expected[i], values, 1e-5, "token " + i);
    }
  }

  /** What token i of a text gets, whose clusters have tokens up to {@code last} for it. */
  private static double[] formula(double[][] x, int i, int last) {
    double[][] w = matrix("q", HEADS * DIM, WIDTH);
    double[][] values = matrix("v", HEADS * DIM, WIDTH);
    double[][] centroids = rows("centroids", HEADS * CLUSTERS, DIM, new Typical(0, 1));
    double[][] q = Arrays.stream(x).map(row -> times(w, row)).toArray(double[][]::new);
    double[][] v = Arrays.stream(x).map(row -> times(values, row)).toArray(double[][]::new);
    double[] o = new double[HEADS * DIM];
    for (int head = 0; head < HEADS; head++) {
      int at = head * DIM;
      int taken = 0;
      double[] sum = new double[DIM];
      for (int cluster = 0; cluster < CLUSTERS; cluster++) {
        double[] centroid = centroids[head * CLUSTERS + cluster];
        List<Integer> members =
            IntStream.range(0, x.length)
                .boxed()
                .sorted(Comparator.comparing(j -> -dot(centroid, 0, q[j], at) / length(q[j], at)))
                .limit(TOP)
                .toList();
        if (!members.contains(i)) {
          continue;
        }
        taken++;
        double[] mean = new double[DIM];
        double all = 0;
        for (int j : members) {
          if (j != i && j <= last) {
            double score = dot(q[i], at, q[j], at) / length(q[j], at) / Math.sqrt(DIM);
            all += Math.exp(score);
            for (int d = 0; d < DIM; d++) {
              mean[d] += Math.exp(score) * v[j][at + d];
            }
          }
        }
        for (int d = 0; d < DIM; d++) {
          sum[d] += all == 0 ? v[i][at + d] : mean[d] / all;
        }
      }
      for (int d = 0; d < DIM && taken > 0; d++) {
        o[at + d] = sum[d] / taken;
      }
    }
    return times(matrix("o", WIDTH, HEADS * DIM), o);
  }

  private static double dot(double[] a, int aAt, double[] b, int bAt) {
    double sum = 0;
    for (int d = 0; d < DIM; d++) {
      sum += a[aAt + d] * b[bAt + d];
    }
    return sum;
  }

  private static double length(double[] a, int at) {
    return Math.sqrt(dot(a, at, a, at));
  }
}
