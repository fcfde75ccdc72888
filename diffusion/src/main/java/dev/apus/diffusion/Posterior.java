package dev.apus.diffusion;

import dev.apus.core.model.Diffusion;

/**
 * What a position becomes when some noise is undone, as scores say: {@code s_y} is how much
 * likelier the noisy text would be with the token y in the place of x, which stands there, so that
 * {@code s_x = 1}. Of n tokens, with the mask m:
 *
 * <pre>
 *   masks, all that is between σ and σ − δ     w_y = (e^δ − 1) s_y          w_m = 1 − Σ w_y
 *   masks, a short step at the rate r          w_y = r s_y                  w_m = 1 − Σ w_y
 *   uniform, all that is between               w_y = (e^δ s_y − (e^δ − 1) Σ s / n) P(x | y)
 *                                              P(x | y) = [x = y] e^−δ + (1 − e^−δ) / n
 *   uniform, a short step at the rate r        w_y = r s_y / n              w_x = 1 − Σ w_y
 * </pre>
 *
 * <p>Sums over y leave out what stands there, but {@code Σ s}, which is over all. The weights need
 * not add up to 1; what has none, or less, is never chosen, as happens where scores are no ratios
 * of probabilities.
 *
 * @see <a href="https://arxiv.org/abs/2310.16834">SEDD</a>
 */
@FunctionalInterface
public interface Posterior {

  /**
   * Turns the scores of all tokens into weights.
   *
   * @param scores of every token; 1 for the one that stands there
   * @param token the one that stands there, which is noisy
   */
  void weigh(double[] scores, int token);

  /**
   * Undoes all noise between two levels, if the scores are those of the first: Tweedie's formula.
   *
   * @param change δ, how far the levels are apart
   */
  static Posterior analytic(Diffusion of, double change) {
    if (of.noise() == Diffusion.Noise.ABSORBING) {
      return absorbing(StrictMath.expm1(change));
    }
    double left = StrictMath.exp(-change);
    return (scores, token) -> {
      int n = scores.length;
      double all = (left - 1) / (n * left) * sum(scores);
      double moved = (1 - left) / n;
      for (int y = 0; y < n; y++) {
        double chance = y == token ? 1 - (n - 1) * moved : moved;
        scores[y] = (all + scores[y] / left) * chance;
      }
    };
  }

  /**
   * Undoes noise at the rate at which it is there at a level, for a short time.
   *
   * @param rate r, how fast the level changes times how long
   */
  static Posterior euler(Diffusion of, double rate) {
    if (of.noise() == Diffusion.Noise.ABSORBING) {
      return absorbing(rate);
    }
    return (scores, token) -> leave(scores, token, rate / scores.length);
  }

  /**
   * Undoes all noise.
   *
   * @param level of the noise
   */
  static Posterior denoised(Diffusion of, double level) {
    Posterior all = analytic(of, level);
    return (scores, token) -> {
      all.weigh(scores, token);
      if (of.mask() >= 0) {
        scores[of.mask()] = 0;
      }
    };
  }

  private static Posterior absorbing(double rate) {
    return (scores, token) -> leave(scores, token, rate);
  }

  /** The others by their scores, and what stands there with the probability that is left. */
  private static void leave(double[] scores, int token, double rate) {
    scores[token] = 0;
    double gone = 0;
    for (int y = 0; y < scores.length; y++) {
      scores[y] *= rate;
      gone += scores[y];
    }
    scores[token] = 1 - gone;
  }

  private static double sum(double[] values) {
    double sum = 0;
    for (double value : values) {
      sum += value;
    }
    return sum;
  }
}
