package dev.apus.moe;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.kernels.Kernels;
import dev.apus.moe.Router.Score;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;

/** Routers against their definition: score, sort, weigh. */
class RouterTest {

  private static final int AT = 3;

  /** Experts and weights, each between guards. */
  private record Choice(int[] chosen, float[] weights) {

    int[] experts() {
      return Arrays.copyOfRange(chosen, AT, chosen.length - 1);
    }

    float[] shares() {
      return Arrays.copyOfRange(weights, AT, weights.length - 1);
    }
  }

  private static Choice choose(Router router, float... logits) {
    float[] guarded = new float[AT + logits.length + 1];
    int[] chosen = new int[AT + router.top() + 1];
    float[] weights = new float[AT + router.top() + 1];
    Arrays.fill(guarded, Float.NaN);
    Arrays.fill(chosen, -7);
    Arrays.fill(weights, Float.NaN);
    System.arraycopy(logits, 0, guarded, AT, logits.length);
    router.choose(Kernels.chosen(), guarded, AT, chosen, weights, AT);
    for (int i : new int[] {0, 1, 2, chosen.length - 1}) {
      assertEquals(-7, chosen[i]);
      assertEquals(Float.NaN, weights[i]);
    }
    return new Choice(chosen, weights);
  }

  @ParameterizedTest(name = "{0} of {1} by {2}, normalised {3}, times {4}")
  @CsvSource({
    "1, 1, SOFTMAX, true, 1",
    "1, 7, SOFTMAX, false, 1",
    "2, 8, SOFTMAX, true, 1",
    "5, 5, SOFTMAX, false, 2.5",
    "6, 61, SOFTMAX, false, 1",
    "8, 128, SOFTMAX, true, 1.5",
    "1, 7, SIGMOID, true, 1",
    "3, 17, SIGMOID, false, 1",
    "8, 61, SIGMOID, true, 2.5",
  })
  void theBestAreChosenWithTheirShares(
      int top, int experts, Score score, boolean normalized, float scale) {
    var random = new SplittableRandom(experts);
    var router = new Router(experts, top, score, normalized, scale);
    for (int token = 0; token < 20; token++) {
      float[] logits = new float[experts];
      for (int i = 0; i < experts; i++) {
        logits[i] = (float) random.nextGaussian(0, 3);
      }
      double[] scores = scores(score, logits);
      int[] best =
          IntStream.range(0, experts)
              .boxed()
              .sorted(Comparator.comparing(e -> -scores[e]))
              .limit(top)
              .mapToInt(Integer::intValue)
              .sorted()
              .toArray();
      double sum = normalized ? Arrays.stream(best).mapToDouble(e -> scores[e]).sum() : 1;
      Choice choice = choose(router, logits);
      assertArrayEquals(best, choice.experts());
      for (int i = 0; i < top; i++) {
        double expected = scale * scores[best[i]] / sum;
        assertEquals(expected, choice.shares()[i], 1e-6 * expected);
      }
    }
  }

  private static double[] scores(Score score, float[] logits) {
    double[] scores = new double[logits.length];
    if (score == Score.SIGMOID) {
      Arrays.setAll(scores, i -> 1 / (1 + Math.exp(-logits[i])));
      return scores;
    }
    double sum = 0;
    for (float logit : logits) {
      sum += Math.exp(logit);
    }
    double all = sum;
    Arrays.setAll(scores, i -> Math.exp(logits[i]) / all);
    return scores;
  }

  @ParameterizedTest
  @EnumSource(Score.class)
  void ofEqualScoresTheLowerExpertWins(Score score) {
    var router = new Router(6, 3, score, true, 1);
    assertArrayEquals(new int[] {0, 1, 2}, choose(router, 0, 0, 0, 0, 0, 0).experts());
    assertArrayEquals(new int[] {1, 2, 4}, choose(router, 0, 1, 1, 0, 2, 1).experts());
    float[] shares = choose(router, 5, 5, 5, 5, 5, 5).shares();
    for (float share : shares) {
      assertEquals(1 / 3.0, share, 1e-7);
    }
  }

  @ParameterizedTest
  @CsvSource({"SOFTMAX, 1e4", "SOFTMAX, -1e4", "SIGMOID, 1e4", "SIGMOID, 80"})
  void extremeLogitsGiveSharesOfOne(Score score, float logit) {
    var router = new Router(4, 2, score, true, 1);
    float[] shares = choose(router, logit, logit, -1e4f, logit).shares();
    assertEquals(1, shares[0] + shares[1], 1e-6);
    assertTrue(shares[0] > 0 || shares[1] > 0);
  }

  /** Scores that are all zero have no sum to divide by; their experts then weigh nothing. */
  @Test
  void scoresOfZeroWeighNothing() {
    var router = new Router(4, 2, Score.SIGMOID, true, 3);
    Choice choice = choose(router, -1e4f, -1e4f, -1e4f, -1e4f);
    assertArrayEquals(new int[] {0, 1}, choice.experts());
    assertArrayEquals(new float[] {0, 0}, choice.shares());
  }

  /**
   * A score that is no number is not passed over: it must reach the logits, where it is refused.
   */
  @ParameterizedTest
  @CsvSource({"SOFTMAX, 0", "SOFTMAX, 3", "SIGMOID, 0", "SIGMOID, 3"})
  void aScoreThatIsNoNumberIsChosen(Score score, int at) {
    float[] logits = {1, 2, 3, 0, 5};
    logits[at] = Float.NaN;
    Choice choice = choose(new Router(5, 2, score, false, 1), logits);
    int[] experts = choice.experts();
    assertTrue(experts[0] < experts[1], "two different ones, in order");
    boolean found = false;
    for (float share : choice.shares()) {
      found |= Float.isNaN(share);
    }
    assertTrue(found, "weights " + Arrays.toString(choice.shares()));
  }

  @Test
  void settingsAreReadAndRefused() {
    assertEquals(new Router(8, 2, Score.SOFTMAX, true, 1), read(Map.of("experts", 8, "top", 2)));
    assertEquals(
        new Router(8, 8, Score.SIGMOID, false, 2.5f),
        read(
            Map.of("experts", 8, "top", 8, "score", "sigmoid", "normalized", false, "scale", 2.5)));
    for (var refused :
        List.of(
            List.of(Map.of("experts", 2, "top", 3), "top=3 is more than experts=2"),
            List.of(
                Map.of("experts", 2, "top", 0),
                "top=0 must be a whole number from 1 to 2147483647"),
            List.of(
                Map.of("experts", 2, "top", 1, "score", "tanh"),
                "score=\"tanh\" is not supported; supported: softmax, sigmoid"))) {
      @SuppressWarnings("unchecked")
      var settings = (Map<String, Object>) refused.getFirst();
      var e = assertThrows(ConfigException.class, () -> read(settings));
      assertEquals("layer 0 moe: " + refused.getLast(), e.getMessage());
    }
  }

  private static Router read(Map<String, ?> settings) {
    return Router.read(Config.of("layer 0 moe", settings));
  }
}
