package dev.apus.kernels.block;

/** The grid {@code step · q}, with q from −zeroQ to zeroQ − 1, that lies nearest to some values. */
final class SymmetricFit {

  private static final int TRIALS = 18;

  private SymmetricFit() {}

  /**
   * Tries grids whose outermost point is near the largest magnitude; each in turn assigns every
   * value its q, and least squares then gives the best step for these.
   *
   * @return the step, negative where the largest magnitude is positive; 0 for values of zero
   */
  static float step(float[] values, int at, int count, int zeroQ) {
    float largest = 0;
    for (int i = at; i < at + count; i++) {
      if (Math.abs(values[i]) > Math.abs(largest)) {
        largest = values[i];
      }
    }
    float best = largest / -zeroQ;
    if (!(Math.abs(best) >= Float.MIN_NORMAL)) {
      return best;
    }
    double bestError = error(values, at, count, zeroQ, best);
    for (int trial = 0; trial <= TRIALS; trial++) {
      float start = largest / -(zeroQ - 1 + 2f * trial / TRIALS);
      float fitted = refined(values, at, count, zeroQ, start);
      double error = error(values, at, count, zeroQ, fitted);
      if (error < bestError) {
        bestError = error;
        best = fitted;
      }
    }
    return best;
  }

  static int q(float steps, int zeroQ) {
    return Math.clamp(Math.round(steps), -zeroQ, zeroQ - 1);
  }

  private static float refined(float[] values, int at, int count, int zeroQ, float step) {
    double sumQq = 0;
    double sumXq = 0;
    for (int i = at; i < at + count; i++) {
      int q = q(values[i] / step, zeroQ);
      sumQq += (double) q * q;
      sumXq += (double) values[i] * q;
    }
    return (float) (sumXq / sumQq);
  }

  private static double error(float[] values, int at, int count, int zeroQ, float step) {
    double sum = 0;
    for (int i = at; i < at + count; i++) {
      double miss = (double) step * q(values[i] / step, zeroQ) - values[i];
      sum += miss * miss;
    }
    return sum;
  }
}
