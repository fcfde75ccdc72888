package dev.apus.moe;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import dev.apus.core.model.MixerType;
import dev.apus.core.model.RecurrentState;
import dev.apus.testing.MixerBench;
import dev.apus.testing.MixerLaws;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/** Mixtures over whole texts against their formulas in double precision. */
class WholeTextTest {

  private static final int WIDTH = 11;
  private static final int INNER = 5;
  private static final int EXPERTS = 4;
  private static final Map<String, Object> CHOOSING =
      Map.of("experts", EXPERTS, "inner", INNER, "capacity", 1.5);
  private static final Map<String, Object> SOFT =
      Map.of("experts", EXPERTS, "inner", INNER, "slots", 3);

  private static void check(
      MixerType type, Map<String, Object> settings, UnaryOperator<double[][]> formula) {
    for (int tokens : new int[] {1, 2, 7, 53}) {
      try (var bench = new MixerBench<RecurrentState>(type, settings, WIDTH)) {
        double[][] x = bench.tokens(tokens, 5);
        double[][] expected = formula.apply(x);
        float[][] y = bench.run(bench.state(tokens), x, 0);
        for (int i = 0; i < tokens; i++) {
          float[] row = y[i];
          double[] found = IntStream.range(0, WIDTH).mapToDouble(c -> row[c]).toArray();
          assertArrayEquals(expected[i], found, 1e-5, tokens + " tokens, token " + i);
        }
        assertEquals(0, bench.bytesPerToken());
      }
    }
  }

  @Test
  void expertsChooseTokens() {
    check(new ExpertChoice.Type(), CHOOSING, WholeTextTest::chosen);
  }

  @Test
  void slotsHoldMixturesOfTokens() {
    check(new SoftMixture.Type(), SOFT, WholeTextTest::soft);
  }

  @Test
  void neitherKernelsNorThreadsNorNeighboursShow() {
    new MixerLaws(new ExpertChoice.Type(), CHOOSING, WIDTH)
        .neitherKernelsNorThreadsNorNeighboursShow();
    new MixerLaws(new SoftMixture.Type(), SOFT, WIDTH).neitherKernelsNorThreadsNorNeighboursShow();
  }

  private static double[] expert(int e, double[] x) {
    double[] gate = times(rows("expert.gate", e, INNER, WIDTH, null), x);
    double[] up = times(rows("expert.up", e, INNER, WIDTH, null), x);
    Arrays.setAll(up, i -> up[i] * gate[i] * sigmoid(gate[i]));
    return times(rows("expert.down", e, WIDTH, INNER, null), up);
  }

  private static double[] softmax(double[] x) {
    double sum = Arrays.stream(x).map(Math::exp).sum();
    return Arrays.stream(x).map(v -> Math.exp(v) / sum).toArray();
  }

  private static double[][] chosen(double[][] x) {
    double[][] scores = new double[x.length][];
    Arrays.setAll(scores, t -> softmax(times(matrix("router", EXPERTS, WIDTH), x[t])));
    int taken = Math.min(x.length, (int) Math.ceil(1.5 * x.length / EXPERTS));
    double[][] y = new double[x.length][WIDTH];
    for (int e = 0; e < EXPERTS; e++) {
      int expert = e;
      List<Integer> best =
          IntStream.range(0, x.length)
              .boxed()
              .sorted(Comparator.comparing(t -> -scores[t][expert]))
              .limit(taken)
              .toList();
      for (int t : best) {
        double[] given = expert(e, x[t]);
        Arrays.setAll(y[t], i -> y[t][i] + scores[t][expert] * given[i]);
      }
    }
    return y;
  }

  private static double[][] soft(double[][] x) {
    int slots = 3 * EXPERTS;
    double[][] logits = new double[x.length][];
    Arrays.setAll(logits, t -> times(matrix("slots", slots, WIDTH), x[t]));
    double[][] answers = new double[slots][];
    for (int s = 0; s < slots; s++) {
      int slot = s;
      double[] shares = softmax(Arrays.stream(logits).mapToDouble(l -> l[slot]).toArray());
      double[] mixed = new double[WIDTH];
      for (int t = 0; t < x.length; t++) {
        double[] row = x[t];
        double share = shares[t];
        Arrays.setAll(mixed, i -> mixed[i] + share * row[i]);
      }
      answers[s] = expert(s / 3, mixed);
    }
    double[][] y = new double[x.length][WIDTH];
    for (int t = 0; t < x.length; t++) {
      double[] shares = softmax(logits[t]);
      double[] sum = y[t];
      for (int s = 0; s < slots; s++) {
        double[] answer = answers[s];
        double share = shares[s];
        Arrays.setAll(sum, i -> sum[i] + share * answer[i]);
      }
    }
    return y;
  }
}
