package dev.apus.attention.learning;

/**
 * Plain gradient descent: {@code c_ts = factor_t · rate_s}. What a token has learned counts more or
 * less with each token that follows in its chunk.
 *
 * @param factors for each place of a chunk
 */
record PositionRates(float[] factors) implements Schedule {

  @Override
  public boolean hasVelocity() {
    return false;
  }

  @Override
  public int rates() {
    return 1;
  }

  @Override
  public int floats() {
    return factors.length;
  }

  @Override
  public void begin(float[] kept, int at) {}

  @Override
  public void next(
      int t, float[] rates, int ratesAt, int step, float[] kept, int at, float[] c, int cAt) {
    kept[at + t] = rates[ratesAt];
    for (int s = 0; s <= t; s++) {
      c[cAt + s] = -(factors[t] * kept[at + s]);
    }
  }

  @Override
  public float kept(float[] kept, int at) {
    return 1;
  }

  @Override
  public float pushed(float[] kept, int at) {
    return 0;
  }

  @Override
  public float carried(float[] kept, int at) {
    return 0;
  }

  @Override
  public void velocity(int t, float[] kept, int at, float[] e, int eAt) {
    throw new IllegalStateException("plain gradient descent has no velocity");
  }
}
