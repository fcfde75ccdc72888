package dev.apus.moe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.routing.GroupLimit;
import dev.apus.core.routing.GroupLimit.Worth;
import dev.apus.core.routing.Router;
import dev.apus.core.routing.Score;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Routers against their definition: score, correct, limit, sort, weigh. */
class RouterTest {

  /** The scores of a logit that do not depend on what is chosen. */
  private static final List<Score> SCORES =
      List.of(Score.SOFTMAX, Score.SIGMOID, Score.SQRT_SOFTPLUS, Score.RELU);

  /** Rows and values around those that a choice may write. */
  private static final int ROW = 2;

  /** What was chosen, and the weights. */
  private record Choice(int[] experts, float[] shares) {}

  /** Chooses by one row of several, and checks that no other is written. */
  private static Choice choose(Router router, float[] correction, float... logits) {
    int top = router.top();
    var guarded = new Matrix(filled(4 * logits.length), 4, logits.length);
    int[] chosen = new int[4 * top];
    float[] weights = filled(4 * top);
    float[] scratch = filled(router.scratchFloats() + 1);
    Arrays.fill(chosen, -7);
    System.arraycopy(logits, 0, guarded.data(), guarded.at(ROW), logits.length);
    router.choose(Kernels.chosen(), guarded, ROW, correction, scratch, chosen, weights);
    for (int i = 0; i < 4 * top; i++) {
      if (i / top != ROW) {
        assertEquals(-7, chosen[i]);
        assertEquals(Float.NaN, weights[i]);
      }
    }
    for (int i = 0; i < 4 * logits.length; i++) {
      assertTrue(i / logits.length == ROW || Float.isNaN(guarded.data()[i]));
    }
    assertEquals(Float.NaN, scratch[router.scratchFloats()]);
    return new Choice(
        Arrays.copyOfRange(chosen, ROW * top, (ROW + 1) * top),
        Arrays.copyOfRange(weights, ROW * top, (ROW + 1) * top));
  }

  private static float[] filled(int count) {
    float[] values = new float[count];
    Arrays.fill(values, Float.NaN);
    return values;
  }

  private static float[] random(SplittableRandom random, int count, double spread) {
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      values[i] = (float) random.nextGaussian(0, spread);
    }
    return values;
  }

  /** A router without correction or limit. */
  private static Router plain(
      int experts, int top, Score score, boolean normalized, float epsilon, float scale) {
    return new Router(experts, top, score, false, null, normalized, epsilon, scale);
  }

  static Stream<Router> routers() {
    int[][] shapes = {{1, 1}, {7, 1}, {8, 2}, {5, 5}, {61, 6}, {128, 8}};
    int[][] groups = {{8, 4, 2, 3}, {8, 4, 1, 2}, {60, 5, 3, 6}, {12, 3, 3, 4}, {256, 8, 4, 8}};
    List<Router> all = new ArrayList<>();
    for (Score score : SCORES) {
      for (boolean biased : new boolean[] {false, true}) {
        for (int[] s : shapes) {
          all.add(new Router(s[0], s[1], score, biased, null, true, 0, 1));
          all.add(new Router(s[0], s[1], score, biased, null, false, 0, 2.5f));
          all.add(new Router(s[0], s[1], score, biased, null, true, 0.125f, 1.5f));
        }
        for (int[] g : groups) {
          for (Worth worth : Worth.values()) {
            var limit = new GroupLimit(g[1], g[2], worth);
            all.add(new Router(g[0], g[3], score, biased, limit, true, 1e-20f, 2.5f));
            all.add(new Router(g[0], g[3], score, biased, limit, false, 0, 1));
          }
        }
      }
    }
    return all.stream();
  }

  /** A difference of logits below 32 is rounded by up to 2⁻²⁰, and so is its exponential. */
  @ParameterizedTest(name = "{0}")
  @MethodSource("routers")
  void theBestAreChosenWithTheirShares(Router router) {
    var random = new SplittableRandom(router.experts());
    for (int token = 0; token < 20; token++) {
      float[] logits = random(random, router.experts(), 3);
      float[] correction = router.biased() ? random(random, router.experts(), 0.3) : null;
      double[] scores = scores(router.score(), logits);
      int[] best = ExactRouter.chosen(router, scores, correction);
      double[] weights = ExactRouter.weights(router, scores, best);
      Choice choice = choose(router, correction, logits);
      assertArrayEquals(best, choice.experts());
      for (int i = 0; i < router.top(); i++) {
        assertEquals(weights[i], choice.shares()[i], 2e-6 * weights[i]);
      }
    }
  }

  /** Granite and Mixtral take the best logits first and the softmax then, over these alone. */
  @Test
  void aNormalizedSoftmaxIsTheSoftmaxOfTheChosen() {
    var random = new SplittableRandom(9);
    Router router = plain(40, 5, Score.SOFTMAX, true, 0, 1);
    for (int token = 0; token < 20; token++) {
      float[] logits = random(random, 40, 20);
      Choice choice = choose(router, null, logits);
      double[] of = Arrays.stream(choice.experts()).mapToDouble(e -> logits[e]).toArray();
      double max = Arrays.stream(of).max().orElseThrow();
      double sum = Arrays.stream(of).map(logit -> Math.exp(logit - max)).sum();
      for (int i = 0; i < 5; i++) {
        assertEquals(Math.exp(of[i] - max) / sum, choice.shares()[i], 1e-6);
      }
    }
  }

  @Test
  void aCorrectionChoosesAndDoesNotWeigh() {
    var router = new Router(3, 1, Score.SIGMOID, true, null, false, 0, 1);
    Choice choice = choose(router, new float[] {0, 0.5f, -9}, 1, 0, 5);
    assertArrayEquals(new int[] {1}, choice.experts());
    assertArrayEquals(new float[] {0.5f}, choice.shares());
  }

  /** The best expert of all, alone in its group, loses to a group with two good ones. */
  @Test
  void aGroupIsWorthItsBestOrItsTwoBest() {
    float[] logits = {9, -9, 1, 1};
    for (Worth worth : Worth.values()) {
      var limit = new GroupLimit(2, 1, worth);
      var router = new Router(4, 2, Score.SIGMOID, false, limit, true, 0, 1);
      int[] expected = worth == Worth.BEST ? new int[] {0, 1} : new int[] {2, 3};
      assertArrayEquals(expected, choose(router, null, logits).experts());
    }
  }

  @ParameterizedTest
  @EnumSource(Worth.class)
  void ofEqualGroupsTheLowerStays(Worth worth) {
    var limit = new GroupLimit(3, 2, worth);
    var router = new Router(6, 2, Score.SIGMOID, true, limit, true, 0, 1);
    float[] none = new float[6];
    assertArrayEquals(new int[] {0, 1}, choose(router, none, 0, 0, 0, 0, 0, 0).experts());
    assertArrayEquals(new int[] {2, 4}, choose(router, none, 0, 0, 3, 0, 3, 0).experts());
    float[] below = {-5, -5, -5, -5, -4, -4};
    assertArrayEquals(new int[] {4, 5}, choose(router, below, 0, 0, 0, 0, 0, 0).experts());
  }

  private static double[] scores(Score score, float[] logits) {
    double[] values = new double[logits.length];
    Arrays.setAll(values, i -> logits[i]);
    return ExactRouter.scores(score, values);
  }

  @ParameterizedTest
  @FieldSource("SCORES")
  void ofEqualScoresTheLowerExpertWins(Score score) {
    Router router = plain(6, 3, score, true, 0, 1);
    assertArrayEquals(new int[] {0, 1, 2}, choose(router, null, 0, 0, 0, 0, 0, 0).experts());
    assertArrayEquals(new int[] {1, 2, 4}, choose(router, null, 0, 1, 1, 0, 2, 1).experts());
    float[] shares = choose(router, null, 5, 5, 5, 5, 5, 5).shares();
    for (float share : shares) {
      assertEquals(1 / 3.0, share, 1e-7);
    }
  }

  @ParameterizedTest
  @CsvSource({"SOFTMAX, 1e4", "SOFTMAX, -1e4", "SIGMOID, 1e4", "SIGMOID, 80", "SQRT_SOFTPLUS, 1e4"})
  void extremeLogitsGiveSharesOfOne(Score score, float logit) {
    Router router = plain(4, 2, score, true, 0, 1);
    float[] shares = choose(router, null, logit, logit, -1e4f, logit).shares();
    assertEquals(1, shares[0] + shares[1], 1e-6);
    assertTrue(shares[0] > 0 || shares[1] > 0);
  }

  /** Scores that are all zero have no sum to divide by; their experts then weigh nothing. */
  @Test
  void scoresOfZeroWeighNothing() {
    for (float epsilon : new float[] {0, 1e-20f}) {
      Router router = plain(4, 2, Score.SIGMOID, true, epsilon, 3);
      Choice choice = choose(router, null, -1e4f, -1e4f, -1e4f, -1e4f);
      assertArrayEquals(new int[] {0, 1}, choice.experts());
      assertArrayEquals(new float[] {0, 0}, choice.shares());
    }
  }

  /**
   * A score that is no number is not passed over: it must reach the logits, where it is refused.
   */
  @ParameterizedTest
  @MethodSource("poisonable")
  void aScoreThatIsNoNumberIsChosen(Score score, GroupLimit limit, int at) {
    float[] logits = {1, 2, 3, 0, 5, 4};
    logits[at] = Float.NaN;
    var router = new Router(6, 2, score, limit != null, limit, false, 0, 1);
    Choice choice = choose(router, new float[6], logits);
    int[] experts = choice.experts();
    assertTrue(experts[0] < experts[1], "two different ones, in order");
    boolean found = false;
    for (float share : choice.shares()) {
      found |= Float.isNaN(share);
    }
    assertTrue(found, "weights " + Arrays.toString(choice.shares()));
  }

  static Stream<Arguments> poisonable() {
    List<Arguments> all = new ArrayList<>();
    for (Score score : SCORES) {
      for (int at : new int[] {0, 3, 5}) {
        all.add(Arguments.of(score, null, at));
        for (Worth worth : Worth.values()) {
          all.add(Arguments.of(score, new GroupLimit(3, 1, worth), at));
        }
      }
    }
    return all.stream();
  }

  @Test
  void settingsAreReadAndRefused() {
    assertEquals(plain(8, 2, Score.SOFTMAX, true, 0, 1), read(Map.of("experts", 8, "top", 2)));
    assertEquals(
        plain(8, 8, Score.SIGMOID, false, 0, 2.5f),
        read(
            Map.of("experts", 8, "top", 8, "score", "sigmoid", "normalized", false, "scale", 2.5)));
    assertEquals(
        new Router(
            8, 3, Score.SIGMOID, true, new GroupLimit(4, 2, Worth.TWO_BEST), true, 1e-20f, 1),
        read(
            Map.of(
                "experts",
                8,
                "top",
                3,
                "score",
                "sigmoid",
                "biased",
                true,
                "groups",
                4,
                "topGroups",
                2,
                "epsilon",
                1e-20)));
    assertEquals(
        new Router(8, 2, Score.SOFTMAX, false, new GroupLimit(8, 2, Worth.BEST), true, 0, 1),
        read(Map.of("experts", 8, "top", 2, "groups", 8, "topGroups", 2, "groupWorth", "best")));
    assertEquals(
        plain(8, 2, Score.SOFTMAX, true, 0, 1),
        read(Map.of("experts", 8, "top", 2, "groups", 1, "topGroups", 1)));
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        Arguments.of("top=9 is more than experts=8", Map.of("top", 9)),
        Arguments.of("top=0 must be a whole number from 1 to 2147483647", Map.of("top", 0)),
        Arguments.of(
            "score=\"tanh\" is not supported; supported: softmax, sigmoid, sqrt-softplus, relu,"
                + " even, sparse-mixer",
            Map.of("score", "tanh")),
        Arguments.of(
            "2147483655 experts are too many to choose from",
            Map.of("zeroExperts", Integer.MAX_VALUE)),
        Arguments.of("epsilon=-1.0 must not be negative", Map.of("epsilon", -1)),
        Arguments.of("topGroups=2 is more than groups=1", Map.of("topGroups", 2)),
        Arguments.of(
            "topGroups is missing; it must be a whole number from 1 to 2147483647",
            Map.of("groups", 4)),
        Arguments.of("topGroups=5 is more than groups=4", Map.of("groups", 4, "topGroups", 5)),
        Arguments.of("experts=8 is not divisible by groups=3", Map.of("groups", 3, "topGroups", 2)),
        Arguments.of(
            "top=3 is more than the 2 experts of topGroups=1",
            Map.of("top", 3, "groups", 4, "topGroups", 1)),
        Arguments.of(
            "groups=8 of one expert have no two best; set groupWorth=best",
            Map.of("groups", 8, "topGroups", 4)),
        Arguments.of(
            "groupWorth=\"worst\" is not supported; supported: two-best, best",
            Map.of("groups", 4, "topGroups", 1, "groupWorth", "worst")));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("refusals")
  void settingsThatCannotRunAreRefused(String message, Map<String, Object> settings) {
    Map<String, Object> all = new HashMap<>(Map.of("experts", 8, "top", 2));
    all.putAll(settings);
    var e = assertThrows(ConfigException.class, () -> read(all));
    assertEquals("layer 0 moe: " + message, e.getMessage());
  }

  private static Router read(Map<String, ?> settings) {
    return Router.read(Config.of("layer 0 moe", settings));
  }
}
