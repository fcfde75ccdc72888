package dev.apus.diffusion;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.generate.SplitMix;
import dev.apus.core.model.Diffusion;
import dev.apus.core.model.Diffusion.Output;
import dev.apus.core.model.NoiseLevels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

/**
 * Steps by scores against Bayes' rule, with the noise written out as a matrix: where scores are the
 * ratios that they stand for, what a step gives is what the noise leaves behind.
 */
class PosteriorTest {

  private static final int TOKENS = 6;
  private static final Diffusion MASKS = Diffusion.masked(TOKENS - 1).giving(Output.SCORES);
  private static final Diffusion UNIFORM = Diffusion.uniform().giving(Output.SCORES);
  private static final List<Diffusion> BOTH = List.of(MASKS, UNIFORM);

  /** How likely each token is without noise. */
  private static final double[] CLEAN = {0.4, 0.05, 0.25, 0.2, 0.1, 0};

  /** Entry (y, x): at which rate x becomes y. */
  private static double[][] rates(Diffusion of) {
    double[][] rates = new double[TOKENS][TOKENS];
    for (int x = 0; x < TOKENS; x++) {
      for (int y = 0; y < TOKENS; y++) {
        rates[y][x] = of.mask() < 0 ? 1.0 / TOKENS : y == of.mask() ? 1 : 0;
      }
      rates[x][x] -= 1;
    }
    return rates;
  }

  /** The exponential of the rates times a level, as a power of a series. */
  private static double[][] noise(Diffusion of, double level) {
    double[][] rates = rates(of);
    double[][] sum = identity();
    double[][] term = identity();
    for (int k = 1; k < 60; k++) {
      term = product(term, rates, level / k);
      for (int y = 0; y < TOKENS; y++) {
        for (int x = 0; x < TOKENS; x++) {
          sum[y][x] += term[y][x];
        }
      }
    }
    return sum;
  }

  private static double[][] identity() {
    double[][] one = new double[TOKENS][TOKENS];
    for (int i = 0; i < TOKENS; i++) {
      one[i][i] = 1;
    }
    return one;
  }

  private static double[][] product(double[][] a, double[][] b, double factor) {
    double[][] c = new double[TOKENS][TOKENS];
    for (int i = 0; i < TOKENS; i++) {
      for (int j = 0; j < TOKENS; j++) {
        for (int k = 0; k < TOKENS; k++) {
          c[i][j] += factor * a[i][k] * b[k][j];
        }
      }
    }
    return c;
  }

  private static double[] applied(double[][] matrix, double[] to) {
    return Arrays.stream(matrix)
        .mapToDouble(row -> IntStream.range(0, TOKENS).mapToDouble(i -> row[i] * to[i]).sum())
        .toArray();
  }

  private static double[] scores(Diffusion of, double level, int token) {
    double[] likely = applied(noise(of, level), CLEAN);
    return Arrays.stream(likely).map(p -> p / likely[token]).toArray();
  }

  /** P(y at the level below | token), by Bayes. */
  private static double[] reversed(Diffusion of, double level, double below, int token) {
    double[] before = applied(noise(of, below), CLEAN);
    double[] now = applied(noise(of, level), CLEAN);
    double[][] between = noise(of, level - below);
    double[] reversed = new double[TOKENS];
    Arrays.setAll(reversed, y -> before[y] * between[token][y] / now[token]);
    return reversed;
  }

  private static double[] weighed(Posterior posterior, double[] scores, int token) {
    double[] weights = scores.clone();
    posterior.weigh(weights, token);
    double sum = Arrays.stream(weights).sum();
    return Arrays.stream(weights).map(w -> w / sum).toArray();
  }

  @Test
  void whatIsUndoneAnalyticallyIsBayes() {
    for (Diffusion of : BOTH) {
      for (double[] levels : new double[][] {{1.3, 0.9}, {3, 0.01}, {0.02, 0.01}}) {
        for (int token = of.mask() < 0 ? 0 : of.mask(); token < TOKENS; token++) {
          double[] scores = scores(of, levels[0], token);
          double[] found = weighed(Posterior.analytic(of, levels[0] - levels[1]), scores, token);
          assertArrayEquals(reversed(of, levels[0], levels[1], token), found, 1e-12);
        }
      }
    }
  }

  @Test
  void whatIsDenoisedHasNoNoise() {
    for (Diffusion of : BOTH) {
      int token = TOKENS - 1;
      double[] found = weighed(Posterior.denoised(of, 1.7), scores(of, 1.7, token), token);
      assertArrayEquals(reversed(of, 1.7, 0, token), found, 1e-12);
    }
  }

  /** One step of Euler is the identity and the reverse rates: Q(x, y) s_y, times the time. */
  @Test
  void eulersStepsFollowTheReverseRates() {
    for (Diffusion of : BOTH) {
      int token = TOKENS - 1;
      double[] scores = scores(of, 0.8, token);
      double rate = 0.05;
      double[] expected = new double[TOKENS];
      for (int y = 0; y < TOKENS; y++) {
        expected[y] = y == token ? 0 : rate * rates(of)[token][y] * scores[y];
      }
      expected[token] = 1 - Arrays.stream(expected).sum();
      double[] found = scores.clone();
      Posterior.euler(of, rate).weigh(found, token);
      assertArrayEquals(expected, found, 1e-15);
      double[] bayes = reversed(of, 0.8, 0.8 - 1e-4, token);
      assertArrayEquals(bayes, weighed(Posterior.euler(of, 1e-4), scores, token), 1e-7);
    }
  }

  /** The entropy is 0 at the ratios of the text itself, and above wherever else. */
  @Test
  void scoreEntropyIsLeastWhereScoresAreRight() {
    for (Diffusion of : BOTH) {
      for (int clean = 0; clean < TOKENS - 1; clean++) {
        for (int token : of.mask() < 0 ? new int[] {clean, TOKENS - 1} : new int[] {of.mask()}) {
          double[][] chances = noise(of, 0.6);
          double[] right = new double[TOKENS];
          for (int y = 0; y < TOKENS; y++) {
            right[y] = StrictMath.log(chances[y][clean] / chances[token][clean]);
          }
          assertEquals(0, ScoreEntropy.of(of, right, token, clean, 0.6), 1e-12);
          for (int y = 0; y < TOKENS; y++) {
            if (y != token) {
              double[] wrong = right.clone();
              wrong[y] = Math.max(wrong[y], -9) + 0.3;
              assertTrue(ScoreEntropy.of(of, wrong, token, clean, 0.6) > 1e-6);
            }
          }
        }
      }
    }
    assertEquals(0, ScoreEntropy.of(MASKS, new double[TOKENS], 2, 2, 0.6));
  }

  @Test
  void levelsGrowAtTheirRate() {
    for (NoiseLevels levels : List.of(NoiseLevels.STANDARD, NoiseLevels.geometric(1e-3, 5))) {
      for (double t : new double[] {0.1, 0.5, 0.9}) {
        double slope = (levels.at(t + 1e-6) - levels.at(t - 1e-6)) / 2e-6;
        assertEquals(slope, levels.rate(t), 1e-6 * slope);
      }
    }
    assertEquals(0.25, Math.exp(-NoiseLevels.logLinear(1e-9).at(0.75)), 1e-6);
    assertEquals(5, NoiseLevels.geometric(1e-3, 5).at(1), 1e-12);
    assertThrows(IllegalArgumentException.class, () -> NoiseLevels.geometric(2, 1));
    assertThrows(IllegalArgumentException.class, () -> NoiseLevels.logLinear(0));
  }

  private static Proposal proposal(int position) {
    return new Proposal(position, 1, 0.5, 1, 0.5, 0.2, 1);
  }

  /** Of n positions that are each hit at a uniform time, the last is hit at a mean of n/(n + 1). */
  @Test
  void firstHittingTimesAreThoseOfUniformTimes() {
    var random = new SplitMix(4);
    double sum = 0;
    double second = 0;
    int many = 20_000;
    for (int i = 0; i < many; i++) {
      double time = new FirstHitting().time(new Progress(0, 9, 3, 3, 1), random::nextDouble);
      sum += time;
      second += new FirstHitting().time(new Progress(1, 9, 2, 3, time), random::nextDouble);
    }
    assertEquals(3.0 / 4, sum / many, 0.01);
    assertEquals(3.0 / 4 * 2 / 3, second / many, 0.01);
  }

  @Test
  void firstHittingFixesAnyOne() {
    int[] counts = new int[4];
    var random = new SplitMix(4);
    List<Proposal> noisy = IntStream.range(0, 4).mapToObj(PosteriorTest::proposal).toList();
    for (int i = 0; i < 4000; i++) {
      Moment moment = new Moment(0, 1, 4, noisy, List.of(), random);
      new FirstHitting().transfer(moment);
      assertEquals(1, moment.chosen().size());
      counts[moment.chosen().getFirst().position()]++;
    }
    Arrays.stream(counts).forEach(count -> assertEquals(1000, count, 120));
  }

  @Test
  void reverseStepsAreEvenAndTheLastUndoesAll() {
    Reverse rule = new Reverse(Reverse.Predictor.ANALYTIC);
    List<Double> times = new ArrayList<>();
    for (int step = 0; step < 5; step++) {
      times.add(rule.time(new Progress(step, 5, 3, 3, 1), () -> 0));
    }
    for (int i = 0; i < 5; i++) {
      assertEquals(1 - i / 4.0 * (1 - 1e-5), times.get(i), 1e-12);
    }
    Diffusion of = MASKS.withLevels(NoiseLevels.geometric(1e-3, 5));
    double[] scores = {2, 1, 0.5, 0.25, 3, 1};
    double[] step = scores.clone();
    rule.posterior(of, new Progress(1, 5, 3, 3, times.get(1))).weigh(step, 5);
    double change = of.levels().at(times.get(1)) - of.levels().at(times.get(2));
    assertEquals(Math.expm1(change) * 2, step[0], 1e-9);
    double[] last = scores.clone();
    rule.posterior(of, new Progress(4, 5, 3, 3, times.get(4))).weigh(last, 5);
    assertEquals(0, last[5]);
    assertThrows(
        IllegalArgumentException.class,
        () -> rule.posterior(Diffusion.masked(5), new Progress(0, 5, 3, 3, 1)));
    Moment moment = new Moment(1, 5, 2, List.of(proposal(0)), List.of(), new SplitMix(1));
    rule.transfer(moment);
    assertEquals(List.of(), moment.chosen());
    assertEquals(1, moment.moved().size());
  }
}
