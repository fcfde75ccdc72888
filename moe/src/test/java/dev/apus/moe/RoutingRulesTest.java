package dev.apus.moe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.routing.Router;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.function.DoubleUnaryOperator;
import java.util.function.UnaryOperator;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Published routers as settings of the one, against their papers' formulas in double precision: a
 * weight for every expert, 0 for those that are not asked.
 */
class RoutingRulesTest {

  private static final int EXPERTS = 9;

  /** The settings of a router, and what it should make of logits. */
  private record Rule(String name, Map<String, Object> settings, UnaryOperator<double[]> weights) {

    @Override
    public String toString() {
      return name;
    }
  }

  static Stream<Rule> rules() {
    return Stream.of(
        new Rule(
            "Switch: y = p(x) E(x) for the best",
            Map.of("top", 1, "normalized", false),
            l -> kept(softmax(l), best(l, 1))),
        new Rule(
            "GShard: g / (g + g') for the two best",
            Map.of("top", 2),
            l -> normalized(kept(softmax(l), best(l, 2)))),
        new Rule(
            "BASE: σ(w · x) for the best",
            Map.of("top", 1, "score", "sigmoid", "normalized", false),
            l -> kept(each(l, x -> 1 / (1 + Math.exp(-x))), best(l, 1))),
        new Rule(
            "ReMoE: every expert weighs max(x, 0)",
            Map.of("score", "relu", "normalized", false),
            l -> each(l, x -> Math.max(x, 0))),
        new Rule(
            "√softplus of the three best, normalised and scaled",
            Map.of("top", 3, "score", "sqrt-softplus", "scale", 1.5),
            l ->
                each(
                    normalized(kept(each(l, x -> Math.sqrt(Math.log1p(Math.exp(x)))), best(l, 3))),
                    x -> 1.5 * x)),
        new Rule(
            "top-p: the fewest experts whose probabilities sum to 0.7",
            Map.of("top", EXPERTS, "mass", 0.7, "normalized", false),
            l -> fewest(softmax(l), 0.7)),
        new Rule(
            "AdaMoE: null experts take a place and no weight",
            Map.of("experts", 5, "zeroExperts", 4, "top", 4, "zeroExpertsWeigh", false),
            l -> {
              double[] kept = kept(softmax(l), best(l, 4));
              double sum = Arrays.stream(kept, 0, 5).sum();
              return each(kept, x -> sum == 0 ? x : x / sum);
            }),
        new Rule(
            "mixture of depths: σ(w · x) where it is above a half",
            Map.of("top", EXPERTS, "score", "sigmoid", "above", 0.5, "normalized", false),
            l -> each(l, x -> x > 0 ? 1 / (1 + Math.exp(-x)) : 0)),
        new Rule(
            "ERNIE: the sum is at least so much",
            Map.of("top", 2, "leastSum", 0.9),
            l -> {
              double[] kept = kept(softmax(l), best(l, 2));
              double sum = Math.max(Arrays.stream(kept).sum(), 0.9);
              return each(kept, x -> x / sum);
            }),
        new Rule(
            "GRIN: each choice among those near it that are left",
            Map.of("top", 2, "score", "sparse-mixer", "jitter", 0.2, "normalized", false),
            l -> sparseMixer(l, 0.2)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("rules")
  void isWhatItsPaperSays(Rule rule) {
    Map<String, Object> settings = new HashMap<>(Map.of("experts", EXPERTS));
    settings.putAll(rule.settings);
    Router router = Router.read(Config.of("moe", settings));
    var random = new SplittableRandom(3);
    for (int token = 0; token < 50; token++) {
      float[] logits = new float[EXPERTS];
      for (int i = 0; i < EXPERTS; i++) {
        logits[i] = (float) random.nextGaussian(0, 2);
      }
      double[] expected =
          rule.weights.apply(IntStream.range(0, EXPERTS).mapToDouble(i -> logits[i]).toArray());
      assertArrayEquals(expected, weights(router, logits, new int[router.top()]), 2e-6);
    }
  }

  /** Fewer experts than the router may choose leave the last places empty. */
  @Test
  void whatIsNotChosenIsNoExpert() {
    Router router =
        Router.read(Config.of("moe", Map.of("experts", 4, "score", "relu", "normalized", false)));
    int[] chosen = new int[4];
    weights(router, new float[] {-1, 2, -3, 4}, chosen);
    assertArrayEquals(new int[] {1, 3, 4, 4}, chosen);
  }

  /** Hash layers: the experts of the token's number, in equal parts, whatever the logits. */
  @Test
  void aTableChooses() {
    Router even =
        Router.read(
            Config.of("moe", Map.of("experts", 4, "top", 2, "score", "even", "hashed", true)));
    float[] none = {Float.NaN, Float.NaN, Float.NaN, Float.NaN};
    assertArrayEquals(new double[] {0.5, 0, 0, 0.5}, weights(even, none, new int[] {3, 0}), 0);
    Router scored =
        Router.read(
            Config.of("moe", Map.of("experts", 4, "top", 2, "score", "sigmoid", "hashed", true)));
    double[] weights = weights(scored, new float[] {0, 9, 2, 9}, new int[] {2, 0});
    double two = 1 / (1 + Math.exp(-2));
    assertArrayEquals(new double[] {0.5 / (0.5 + two), 0, two / (0.5 + two), 0}, weights, 1e-6);
  }

  /** A weight for each expert, of what is chosen; zero experts weigh nothing. */
  private static double[] weights(Router router, float[] logits, int[] chosen) {
    var row = new Matrix(logits.clone(), 1, logits.length);
    float[] weights = new float[router.top()];
    float[] scratch = new float[router.scratchFloats()];
    router.choose(Kernels.chosen(), row, 0, null, scratch, chosen, weights);
    double[] all = new double[logits.length];
    for (int i = 0; i < chosen.length; i++) {
      if (chosen[i] < logits.length) {
        all[chosen[i]] += weights[i];
      } else {
        assertEquals(0, weights[i]);
      }
    }
    return all;
  }

  private static double[] softmax(double[] logits) {
    double sum = Arrays.stream(logits).map(Math::exp).sum();
    return each(logits, x -> Math.exp(x) / sum);
  }

  private static double[] each(double[] x, DoubleUnaryOperator f) {
    return Arrays.stream(x).map(f).toArray();
  }

  private static List<Integer> best(double[] x, int count) {
    return IntStream.range(0, x.length)
        .boxed()
        .sorted(Comparator.comparing(i -> -x[i]))
        .limit(count)
        .toList();
  }

  private static double[] kept(double[] x, List<Integer> which) {
    return IntStream.range(0, x.length).mapToDouble(i -> which.contains(i) ? x[i] : 0).toArray();
  }

  private static double[] normalized(double[] x) {
    double sum = Arrays.stream(x).sum();
    return each(x, v -> v / sum);
  }

  private static double[] fewest(double[] p, double mass) {
    int count = 1;
    while (Arrays.stream(kept(p, best(p, count))).sum() < mass) {
      count++;
    }
    return kept(p, best(p, count));
  }

  private static double[] sparseMixer(double[] logits, double jitter) {
    double[] weights = new double[logits.length];
    List<Integer> two = best(logits, 2);
    for (int choice : two) {
      double most = logits[choice];
      double sum = 0;
      for (int i = 0; i < logits.length; i++) {
        boolean left = choice == two.get(0) || i != two.get(0);
        boolean near = (most - logits[i]) / Math.max(Math.abs(logits[i]), most) <= 2 * jitter;
        sum += left && near ? Math.exp(logits[i] - most) : 0;
      }
      weights[choice] = 1 / sum;
    }
    return weights;
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        Arguments.of(
            Map.of("hashed", true, "biased", true),
            "hashed=true: a table chooses, so nothing can rank the experts"),
        Arguments.of(
            Map.of("score", "even"), "score=even ranks no expert above another; set hashed=true"),
        Arguments.of(
            Map.of("score", "sparse-mixer", "jitter", 0.1),
            "score=sparse-mixer weighs each choice among those left: it needs normalized=false and"
                + " neither biased, groups, above, mass nor hashed"),
        Arguments.of(Map.of("mass", -1), "mass=-1.0 must not be negative"));
  }

  @ParameterizedTest(name = "{1}")
  @MethodSource("refusals")
  void settingsThatContradictAreRefused(Map<String, Object> settings, String message) {
    Map<String, Object> all = new HashMap<>(Map.of("experts", 8, "top", 2));
    all.putAll(settings);
    var e = assertThrows(ConfigException.class, () -> Router.read(Config.of("layer 0 moe", all)));
    assertEquals("layer 0 moe: " + message, e.getMessage());
  }
}
