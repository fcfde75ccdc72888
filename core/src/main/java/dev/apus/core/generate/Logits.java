package dev.apus.core.generate;

/** Questions about one step's logits. */
public final class Logits {

  /** Numbers that are summed up at a time. */
  static final int SCRATCH = 512;

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

  /**
   * {@code ln Σ exp(logit)}: what to subtract from a logit to get the logarithm of a probability.
   *
   * @throws GenerationException if a logit is NaN or positive infinity, or all are negative
   *     infinity
   */
  public static double logSum(float[] logits, int vocabulary) {
    float max = logits[best(logits, vocabulary, "from the model")];
    return max + logSum(logits, vocabulary, max, new double[SCRATCH]);
  }

  /** {@code ln Σ exp(logit − max)}, as many at a time as {@code scratch} holds. */
  static double logSum(float[] logits, int vocabulary, float max, double[] scratch) {
    double sum = 0;
    for (int at = 0; at < vocabulary; at += scratch.length) {
      int count = Math.min(scratch.length, vocabulary - at);
      Exponential.fill(scratch, count, logits, at, max, 1);
      sum += sum(scratch, count);
    }
    return StrictMath.log(sum);
  }

  /** The sum by four partial sums: value i goes to partial sum i mod 4. */
  static double sum(double[] values, int count) {
    double sum0 = 0;
    double sum1 = 0;
    double sum2 = 0;
    double sum3 = 0;
    int i = 0;
    for (; i + 3 < count; i += 4) {
      sum0 += values[i];
      sum1 += values[i + 1];
      sum2 += values[i + 2];
      sum3 += values[i + 3];
    }
    sum0 += i < count ? values[i] : 0;
    sum1 += i + 1 < count ? values[i + 1] : 0;
    sum2 += i + 2 < count ? values[i + 2] : 0;
    return (sum0 + sum2) + (sum1 + sum3);
  }
}
