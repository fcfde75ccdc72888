package dev.apus.diffusion;

import dev.apus.core.model.Diffusion;

/**
 * How far scores are from those of a text that is known, at a position where x stands in the place
 * of the token {@code x₀}:
 *
 * <pre>
 *   Σ_{y ≠ x} Q(x, y) (s_y − r_y ln s_y + r_y (ln r_y − 1))          r_y = P(y | x₀) / P(x | x₀)
 * </pre>
 *
 * <p>Q is 1 from a mask to each token and 0 from tokens, or {@code 1/n} where noise is any of n
 * tokens. It is 0 if the scores are r, and otherwise above.
 *
 * @see <a href="https://arxiv.org/abs/2310.16834">SEDD</a>
 */
final class ScoreEntropy {

  private ScoreEntropy() {}

  /**
   * @param logScores logarithms of scores, one for each token
   * @param token x, which stands there
   * @param clean x₀
   * @param level of the noise
   */
  static double of(Diffusion of, double[] logScores, int token, int clean, double level) {
    int n = logScores.length;
    boolean absorbing = of.mask() >= 0;
    if (absorbing && token != of.mask()) {
      return 0;
    }
    double noise = StrictMath.expm1(level);
    double sum = 0;
    for (int y = 0; y < n; y++) {
      if (y == token) {
        continue;
      }
      double ratio = absorbing ? y == clean ? 1 / noise : 0 : ratio(y, token, clean, noise / n);
      double entropy = StrictMath.exp(logScores[y]);
      if (ratio > 0) {
        entropy += ratio * (StrictMath.log(ratio) - 1 - logScores[y]);
      }
      sum += entropy;
    }
    return absorbing ? sum : sum / n;
  }

  /** P(y | x₀) / P(x | x₀) where the noise is any token; for others than x₀, P is {@code moved}. */
  private static double ratio(int y, int token, int clean, double moved) {
    double stays = 1 + moved;
    return (y == clean ? stays : moved) / (token == clean ? stays : moved);
  }
}
