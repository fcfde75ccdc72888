package dev.apus.kernels.math;

/**
 * Sums in the one order that every vector width can keep: element {@code i} is added to partial sum
 * {@code i mod 16}, first element first, and the sixteen partial sums are added as a tree: {@code p
 * + p[+8]}, then {@code [+4]}, {@code [+2]}, {@code [+1]}.
 */
public final class ScalarSums {

  static final int PARTIALS = 16;

  private ScalarSums() {}

  /** {@code Σ a}. */
  public static float sum(float[] a, int aAt, int count) {
    return tree(0, 1, count, (sum, i) -> sum + a[aAt + i]);
  }

  /** {@code Σ a · b}, each term added by a fused multiply-add. */
  public static float dot(float[] a, int aAt, float[] b, int bAt, int count) {
    return tree(0, 1, count, (sum, i) -> Math.fma(a[aAt + i], b[bAt + i], sum));
  }

  /** Writes {@code a − centre} to {@code d} and returns the {@link #dot} of that with itself. */
  public static float centre(float centre, float[] a, int aAt, float[] d, int dAt, int count) {
    for (int i = 0; i < count; i++) {
      d[dAt + i] = a[aAt + i] - centre;
    }
    return dot(d, dAt, d, dAt, count);
  }

  /** The sum of sixteen partial sums, in whose place it is computed. */
  public static float tree(float[] partials, int at) {
    for (int step = PARTIALS / 2; step > 0; step /= 2) {
      for (int i = at; i < at + step; i++) {
        partials[i] += partials[i + step];
      }
    }
    return partials[at];
  }

  /** What a partial sum becomes with element {@code i}. */
  private interface Term {
    float addTo(float sum, int i);
  }

  /** The sum of the partial sums whose number is {@code first} modulo {@code step}. */
  private static float tree(int first, int step, int count, Term term) {
    if (step < PARTIALS) {
      return tree(first, 2 * step, count, term) + tree(first + step, 2 * step, count, term);
    }
    float sum = 0;
    for (int i = first; i < count; i += PARTIALS) {
      sum = term.addTo(sum, i);
    }
    return sum;
  }
}
