package dev.apus.core.generate;

/** Questions about one step's logits. */
final class Logits {

  private Logits() {}

  /**
   * The token with the largest logit, the lowest id among equals.
   *
   * @param origin where the logits come from, for the message
   * @throws GenerationException if a logit is NaN or positive infinity, or all are negative
   *     infinity
   */
  static int best(float[] logits, int vocabulary, String origin) {
    int best = -1;
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < vocabulary; i++) {
      float logit = logits[i];
      if (logit > max) {
        max = logit;
        best = i;
      }
      if (!(logit < Float.POSITIVE_INFINITY)) {
        throw new GenerationException(
            "the logit of token " + i + ", " + origin + ", is " + logit + "; it must be finite");
      }
    }
    if (best < 0) {
      throw new GenerationException(
          "all " + vocabulary + " logits, " + origin + ", are -Infinity; no token can be chosen");
    }
    return best;
  }

  /** {@code ln Σ exp(logit − max)}. */
  static double logSum(float[] logits, int vocabulary, float max) {
    double sum = 0;
    for (int i = 0; i < vocabulary; i++) {
      sum += Exponential.of((double) logits[i] - max);
    }
    return StrictMath.log(sum);
  }
}
