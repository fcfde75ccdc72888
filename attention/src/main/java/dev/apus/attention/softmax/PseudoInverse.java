package dev.apus.attention.softmax;

import dev.apus.kernels.activation.Activations;

/**
 * The pseudo-inverse of a square matrix with rows that add up to one, by six steps of
 *
 * <pre>
 *   Z ← ¼ Z (13 I − A Z (15 I − A Z (7 I − A Z)))          Z₀ = Aᵀ / most
 * </pre>
 *
 * <p>where {@code most} is at least the largest sum of a column of A.
 *
 * @see <a href="https://arxiv.org/abs/2102.03902">Nyströmformer</a>
 */
final class PseudoInverse {

  private static final int STEPS = 6;

  private PseudoInverse() {}

  /** Floats of scratch. */
  static int scratchFloats(int size) {
    return Math.multiplyExact(3, size * size);
  }

  /** The largest sum of a column. */
  static float largestColumn(float[] a, int aAt, int size) {
    float largest = 0;
    for (int j = 0; j < size; j++) {
      float sum = 0;
      for (int i = 0; i < size; i++) {
        sum += a[aAt + i * size + j];
      }
      largest = Math.max(largest, sum);
    }
    return largest;
  }

  /**
   * Writes the inverse to {@code z}.
   *
   * @param scratch from {@code at} on, {@link #scratchFloats}
   */
  static void invert(
      Activations kernel,
      float[] a,
      int aAt,
      int size,
      float most,
      float[] z,
      int zAt,
      float[] scratch,
      int at) {
    for (int i = 0; i < size; i++) {
      for (int j = 0; j < size; j++) {
        z[zAt + i * size + j] = 1 / most * a[aAt + j * size + i];
      }
    }
    int values = size * size;
    int product = at;
    int left = at + values;
    int right = at + 2 * values;
    for (int step = 0; step < STEPS; step++) {
      multiply(kernel, size, a, aAt, z, zAt, scratch, product);
      System.arraycopy(scratch, product, scratch, left, values);
      for (int factor : new int[] {7, 15}) {
        subtractFrom(factor, scratch, left, size);
        multiply(kernel, size, scratch, product, scratch, left, scratch, right);
        System.arraycopy(scratch, right, scratch, left, values);
      }
      subtractFrom(13, scratch, left, size);
      for (int i = 0; i < values; i++) {
        z[zAt + i] *= 0.25f;
      }
      multiply(kernel, size, z, zAt, scratch, left, scratch, right);
      System.arraycopy(scratch, right, z, zAt, values);
    }
  }

  /** {@code X ← factor · I − X}. */
  private static void subtractFrom(int factor, float[] x, int at, int size) {
    for (int i = 0; i < size * size; i++) {
      x[at + i] = (i % (size + 1) == 0 ? factor : 0) - x[at + i];
    }
  }

  private static void multiply(
      Activations kernel, int size, float[] a, int aAt, float[] b, int bAt, float[] c, int cAt) {
    Dense.multiply(kernel, size, size, size, a, aAt, b, bAt, size, c, cAt, size);
  }
}
