package dev.apus.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import org.junit.jupiter.api.Test;

/** Steps of vectors against the formulas of Gaussian diffusion. */
class GaussianTest {

  private static final double[][] LEVELS = {{5.7, 5.2}, {3, -1}, {0.2, 0.1}, {-2, -2.9}};
  private static final Gaussian PLAIN = Gaussian.STANDARD.withScoreTemperature(1);

  private static double sigmoid(double x) {
    return 1 / (1 + Math.exp(-x));
  }

  private static double step(
      Gaussian rule, double z, double mean, double from, double to, double normal) {
    double[] values = {z};
    rule.step(values, new double[] {mean}, false, from, to, () -> normal);
    return values[0];
  }

  /**
   * With {@code α² = sigmoid(−γ)}, the distribution of {@code z'} for a z and an x has the mean
   * {@code (a σ'² z + α' v x) / σ²} and the variance {@code v σ'² / σ²}, where {@code a = α / α'}
   * and {@code v = σ² − a² σ'²}.
   */
  @Test
  void aStepHasTheMeanAndTheVarianceOfThePosterior() {
    for (double[] levels : LEVELS) {
      double variance = sigmoid(levels[0]);
      double varianceAfter = sigmoid(levels[1]);
      double alphaAfter = Math.sqrt(sigmoid(-levels[1]));
      double a = Math.sqrt(sigmoid(-levels[0])) / alphaAfter;
      double v = variance - a * a * varianceAfter;
      for (double z : new double[] {-1.3, 0, 0.8}) {
        for (double x : new double[] {-0.4, 0.9}) {
          double mean = (a * varianceAfter * z + alphaAfter * v * x) / variance;
          double spread = Math.sqrt(v * varianceAfter / variance);
          assertEquals(mean, step(PLAIN, z, x, levels[0], levels[1], 0), 1e-12);
          assertEquals(mean + spread, step(PLAIN, z, x, levels[0], levels[1], 1), 1e-12);
        }
      }
    }
  }

  /** Steps from one level to another are as one, if what is expected is the truth. */
  @Test
  void manyStepsAreOne() {
    double x = 0.7;
    double z = -0.2;
    Gaussian ddim = PLAIN.with(Gaussian.Predictor.DDIM);
    double once = step(ddim, z, x, 4, -1, 0);
    double twice = step(ddim, step(ddim, z, x, 4, 1, 0), x, 1, -1, 0);
    assertEquals(once, twice, 1e-12);
    double mean = step(PLAIN, z, x, 4, -1, 0);
    double meanTwice = step(PLAIN, step(PLAIN, z, x, 4, 1, 0), x, 1, -1, 0);
    assertEquals(mean, meanTwice, 1e-12);
    double variance = Math.pow(step(PLAIN, z, x, 4, -1, 1) - mean, 2);
    double first = step(PLAIN, z, x, 4, 1, 1) - step(PLAIN, z, x, 4, 1, 0);
    double carried = step(PLAIN, first, 0, 1, -1, 0);
    double second = step(PLAIN, 0, 0, 1, -1, 1);
    assertEquals(variance, carried * carried + second * second, 1e-12);
  }

  @Test
  void withoutNoiseAVectorIsWhatIsExpected() {
    for (Gaussian.Predictor predictor : Gaussian.Predictor.values()) {
      double found = step(PLAIN.with(predictor), -0.6, 0.37, 1.5, -60, 2);
      assertEquals(0.37, found, 1e-12);
    }
  }

  /** What is given is as noisy as everything else, with the truth as its mean. */
  @Test
  void whatIsGivenFollowsItsOwnNoise() {
    double[] values = {0.9, -0.1, 0.4};
    double[] means = {0.5, -0.5, 0.25};
    double[] plain = values.clone();
    Gaussian.STANDARD.step(values, means, true, 2, 1, () -> 0.3);
    PLAIN.step(plain, means, false, 2, 1, () -> 0.3);
    assertArrayEquals(plain, values, 1e-12);
    double alpha = Math.sqrt(sigmoid(-2));
    double start = alpha * 0.5 + Math.sqrt(sigmoid(2)) * 1.7;
    double[] ddim = {start};
    Gaussian.STANDARD
        .with(Gaussian.Predictor.DDIM)
        .step(ddim, new double[] {0.5}, true, 2, -1, () -> 0);
    assertEquals(Math.sqrt(sigmoid(1)) * 0.5 + Math.sqrt(sigmoid(-1)) * 1.7, ddim[0], 1e-12);
  }

  /** The noise that is seen is divided by the temperature, and what is expected follows. */
  @Test
  void aScoreTemperatureDividesTheNoise() {
    double alpha = Math.sqrt(sigmoid(-1));
    double sigma = Math.sqrt(sigmoid(1));
    double noise = (0.8 - alpha * 0.2) / sigma / 0.5;
    double mean = (0.8 - sigma * noise) / alpha;
    Gaussian cooled = Gaussian.STANDARD.withScoreTemperature(0.5);
    assertEquals(step(PLAIN, 0.8, mean, 1, 0, 0.4), step(cooled, 0.8, 0.2, 1, 0, 0.4), 1e-12);
    Gaussian ddim = cooled.with(Gaussian.Predictor.DDIM);
    double expected = Math.sqrt(sigmoid(0)) * mean + Math.sqrt(sigmoid(0)) * noise;
    assertEquals(expected, step(ddim, 0.8, 0.2, 1, 0, 0), 1e-12);
  }

  @Test
  void timesFallEvenlyToNothingAndOneMoreEvaluationFollows() {
    int steps = 5;
    double[] times = new double[steps + 1];
    for (int i = 0; i <= steps; i++) {
      Progress now = new Progress(i, steps, 3, 3, 1);
      times[i] = PLAIN.time(now, () -> 0);
      Progress at = now.at(times[i]);
      double goal = i < steps - 1 ? times[i] - 1.0 / steps : times[i];
      assertEquals(goal, PLAIN.goal(at), 1e-15);
    }
    assertArrayEquals(new double[] {1, 0.75, 0.5, 0.25, 0, 0}, times, 1e-15);
    assertEquals(0, PLAIN.goal(new Progress(0, 1, 3, 3, 1)), "the only step");
    assertEquals(1, PLAIN.goal(new Progress(1, 1, 3, 3, 1)), "after the only step");
  }

  @Test
  void settingsAreThoseOfTheAuthors() {
    String json =
        """
        {"sampling_timesteps": 64, "score_temp": 0.8, "initial_noise_scale": 1.1,
         "ddim_sampler": true}
        """;
    assertEquals(
        new Gaussian(Gaussian.Predictor.DDIM, 0.8, 1.1, 64), Gaussian.STANDARD.over(config(json)));
    assertEquals(Gaussian.STANDARD, Gaussian.STANDARD.over(config("{}")));
    assertThrows(
        ConfigException.class, () -> Gaussian.STANDARD.over(config("{\"score_temp\": 0}")));
    assertThrows(IllegalArgumentException.class, () -> PLAIN.withScoreTemperature(Double.NaN));
  }

  private static Config config(String json) {
    return Config.parse("config", json.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void normalNumbersAreNormal() {
    var normal = new NormalNumbers(3);
    double[] numbers = new double[20_000];
    Arrays.setAll(numbers, i -> normal.getAsDouble());
    double mean = Arrays.stream(numbers).average().orElseThrow();
    double square = Arrays.stream(numbers).map(x -> x * x).average().orElseThrow();
    double fourth = Arrays.stream(numbers).map(x -> x * x * x * x).average().orElseThrow();
    double within = Arrays.stream(numbers).filter(x -> Math.abs(x) < 1).count() / 20_000.0;
    double follows = 0;
    for (int i = 1; i < numbers.length; i++) {
      follows += numbers[i] * numbers[i - 1] / numbers.length;
    }
    assertTrue(Math.abs(mean) < 0.03 && Math.abs(follows) < 0.03);
    assertEquals(1, square, 0.04);
    assertEquals(3, fourth, 0.3);
    assertEquals(0.6827, within, 0.015);
  }
}
