package dev.apus.kernels.block;

/**
 * The grid {@code step · q − low}, with q from 0 to a largest q, that lies nearest to some values.
 *
 * @param step distance of two neighbours, at least 0
 * @param low how far below zero the grid begins, at least 0
 */
record AffineFit(float step, float low) {

  private static final int TRIALS = 20;

  /**
   * Tries grids from somewhat narrower to somewhat wider than the values' range; each in turn
   * assigns every value its q, and least squares then gives the best grid for these.
   */
  static AffineFit of(float[] values, int at, int count, int largestQ) {
    float least = 0;
    float greatest = 0;
    for (int i = at; i < at + count; i++) {
      least = Math.min(least, values[i]);
      greatest = Math.max(greatest, values[i]);
    }
    AffineFit best = new AffineFit((greatest - least) / largestQ, -least);
    if (!(best.step >= Float.MIN_NORMAL)) {
      return best;
    }
    double bestError = best.error(values, at, count, largestQ);
    for (int trial = 0; trial <= TRIALS; trial++) {
      float steps = largestQ - 1 + 2f * trial / TRIALS;
      AffineFit start = new AffineFit((greatest - least) / steps, -least);
      AffineFit fit = start.refined(values, at, count, largestQ);
      double error = fit.error(values, at, count, largestQ);
      if (error < bestError) {
        bestError = error;
        best = fit;
      }
    }
    return best;
  }

  private AffineFit refined(float[] values, int at, int count, int largestQ) {
    double sumQ = 0;
    double sumQq = 0;
    double sumX = 0;
    double sumXq = 0;
    for (int i = at; i < at + count; i++) {
      int q = q(values[i], largestQ);
      sumQ += q;
      sumQq += (double) q * q;
      sumX += values[i];
      sumXq += (double) values[i] * q;
    }
    double determinant = count * sumQq - sumQ * sumQ;
    if (determinant <= 0) {
      return this;
    }
    double fitted = (count * sumXq - sumX * sumQ) / determinant;
    double below = (sumQ * sumXq - sumQq * sumX) / determinant;
    return below >= 0
        ? new AffineFit((float) fitted, (float) below)
        : new AffineFit((float) (sumXq / sumQq), 0);
  }

  private double error(float[] values, int at, int count, int largestQ) {
    double sum = 0;
    for (int i = at; i < at + count; i++) {
      double miss = step * q(values[i], largestQ) - low - values[i];
      sum += miss * miss;
    }
    return sum;
  }

  private int q(float value, int largestQ) {
    return Math.clamp(Math.round((value + low) / step), 0, largestQ);
  }
}
