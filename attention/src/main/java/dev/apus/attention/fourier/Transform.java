package dev.apus.attention.fourier;

import dev.apus.kernels.activation.Activations;
import java.util.Arrays;

/**
 * The discrete Fourier transform of any length, of many sequences side by side:
 *
 * <pre>
 *   X[k] = Σ_t x[t] · e^(−2πikt / n)
 * </pre>
 *
 * <p>A length is divided by its prime factors, the least first, so that it costs {@code n} times
 * their sum. Number t of all sequences lies in {@link #ROW} values: the real parts, and then the
 * imaginary parts, of {@link #LANES} sequences.
 *
 * @see <a href="https://doi.org/10.1090/S0025-5718-1965-0178586-1">Cooley and Tukey</a>
 */
final class Transform {

  /** Sequences that are transformed together. */
  static final int LANES = 32;

  /** Values of a number of each of them. */
  static final int ROW = 2 * LANES;

  private final int length;
  private final int largestFactor;
  private final float[] cos;
  private final float[] sin;

  Transform(int length) {
    this.length = length;
    this.cos = new float[length];
    this.sin = new float[length];
    for (int i = 0; i < length; i++) {
      double angle = -2 * Math.PI * i / length;
      cos[i] = (float) StrictMath.cos(angle);
      sin[i] = (float) StrictMath.sin(angle);
    }
    int largest = 1;
    for (int rest = length; rest > 1; rest /= factor(rest)) {
      largest = Math.max(largest, factor(rest));
    }
    this.largestFactor = largest;
  }

  /** The least prime that divides a number above 1. */
  private static int factor(int n) {
    for (int p = 2; (long) p * p <= n; p++) {
      if (n % p == 0) {
        return p;
      }
    }
    return n;
  }

  int length() {
    return length;
  }

  /** Values of all numbers. */
  int floats() {
    return Math.multiplyExact(length, ROW);
  }

  /** Floats of scratch. */
  int scratchFloats() {
    return Math.multiplyExact(largestFactor, ROW);
  }

  /**
   * Transforms.
   *
   * @param x {@link #floats} values, which stay as they are
   * @param y receives as many
   * @param scratch {@link #scratchFloats} values
   */
  void apply(
      Activations kernel, float[] x, int xAt, float[] y, int yAt, float[] scratch, int scratchAt) {
    apply(kernel, length, 1, x, xAt, y, yAt, scratch, scratchAt);
  }

  /** The transform of every {@code step}-th number, {@code n} in all. */
  private void apply(
      Activations kernel,
      int n,
      int step,
      float[] x,
      int xAt,
      float[] y,
      int yAt,
      float[] scratch,
      int scratchAt) {
    if (n == 1) {
      System.arraycopy(x, xAt, y, yAt, ROW);
      return;
    }
    int p = factor(n);
    int m = n / p;
    for (int r = 0; r < p; r++) {
      int part = yAt + r * m * ROW;
      apply(kernel, m, step * p, x, xAt + r * step * ROW, y, part, scratch, scratchAt);
    }
    for (int k = 0; k < m; k++) {
      for (int r = 0; r < p; r++) {
        System.arraycopy(y, yAt + (r * m + k) * ROW, scratch, scratchAt + r * ROW, ROW);
      }
      for (int j = 0; j < p; j++) {
        int at = yAt + (j * m + k) * ROW;
        System.arraycopy(scratch, scratchAt, y, at, ROW);
        for (int r = 1; r < p; r++) {
          int turn = (int) ((long) r * (j * m + k) % n * step);
          addTurned(kernel, cos[turn], sin[turn], scratch, scratchAt + r * ROW, y, at);
        }
      }
    }
  }

  /** {@code y ← y + (c + is) · x}. */
  private static void addTurned(
      Activations kernel, float c, float s, float[] x, int xAt, float[] y, int yAt) {
    kernel.addScaled(c, x, xAt, y, yAt, ROW);
    if (s != 0) {
      kernel.addScaled(-s, x, xAt + LANES, y, yAt, LANES);
      kernel.addScaled(s, x, xAt, y, yAt + LANES, LANES);
    }
  }

  /** Zeros in the place of the numbers from {@code from} on. */
  void clear(float[] x, int xAt, int from) {
    Arrays.fill(x, xAt + from * ROW, xAt + length * ROW, 0);
  }
}
