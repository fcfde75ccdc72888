package dev.apus.attention.learning;

/**
 * Gradient descent with momentum and forgetting, whose rates θ, η and α each token has for itself.
 *
 * <pre>
 *   V_t = η_t V_{t−1} − θ_t ∇_t        W_t = (1 − α_t) W_{t−1} + V_t
 * </pre>
 *
 * <p>Between tokens it keeps {@code kept}, {@code pushed}, {@code carried}, then {@code c_ts} and
 * {@code e_ts} for each s.
 */
record Momentum(int chunk) implements Schedule {

  private static final int KEPT = 0;
  private static final int PUSHED = 1;
  private static final int CARRIED = 2;
  private static final int CHANGES = 3;

  @Override
  public boolean hasVelocity() {
    return true;
  }

  @Override
  public int rates() {
    return 3;
  }

  @Override
  public int floats() {
    return CHANGES + 2 * chunk;
  }

  @Override
  public void begin(float[] kept, int at) {
    kept[at + KEPT] = 1;
    kept[at + PUSHED] = 0;
    kept[at + CARRIED] = 1;
  }

  @Override
  public void next(
      int t, float[] rates, int ratesAt, int step, float[] kept, int at, float[] c, int cAt) {
    float theta = rates[ratesAt];
    float eta = rates[ratesAt + step];
    float keep = 1 - rates[ratesAt + 2 * step];
    int changes = at + CHANGES;
    int velocities = changes + chunk;
    kept[at + CARRIED] *= eta;
    kept[at + KEPT] *= keep;
    kept[at + PUSHED] = keep * kept[at + PUSHED] + kept[at + CARRIED];
    for (int s = 0; s < t; s++) {
      kept[velocities + s] *= eta;
      kept[changes + s] = keep * kept[changes + s] + kept[velocities + s];
    }
    kept[velocities + t] = theta;
    kept[changes + t] = theta;
    for (int s = 0; s <= t; s++) {
      c[cAt + s] = -kept[changes + s];
    }
  }

  @Override
  public float kept(float[] kept, int at) {
    return kept[at + KEPT];
  }

  @Override
  public float pushed(float[] kept, int at) {
    return kept[at + PUSHED];
  }

  @Override
  public float carried(float[] kept, int at) {
    return kept[at + CARRIED];
  }

  @Override
  public void velocity(int t, float[] kept, int at, float[] e, int eAt) {
    for (int s = 0; s <= t; s++) {
      e[eAt + s] = -kept[at + CHANGES + chunk + s];
    }
  }
}
