package dev.apus.core.generate;

/**
 * {@code eˣ} for {@code x ≤ 0} from IEEE operations alone, so that it has the same bits everywhere.
 *
 * <p>{@code x = k ln 2 + r} with {@code |r| ≤ ln 2 / 2}; {@code eʳ} is its Taylor polynomial of
 * degree 11, whose relative error is below 10⁻¹⁴. StrictMath promises the same bits too, but a
 * vocabulary of 150 000 tokens makes its time felt.
 */
final class Exponential {

  /** Below this the result is 0: far smaller than anything that could change a sum of weights. */
  private static final double SMALLEST = -700;

  private static final double LOG2_E = 0x1.71547652b82fep0;

  /** ln 2 in two parts; the first has 21 trailing zero bits, so that k times it is exact. */
  private static final double LN2_HIGH = 0x1.62e42fee00000p-1;

  private static final double LN2_LOW = 0x1.a39ef35793c76p-33;

  private Exponential() {}

  static double of(double x) {
    if (x < SMALLEST) {
      return 0;
    }
    double k = Math.rint(x * LOG2_E);
    double r = (x - k * LN2_HIGH) - k * LN2_LOW;
    double p = 1.0 / 39916800;
    p = p * r + 1.0 / 3628800;
    p = p * r + 1.0 / 362880;
    p = p * r + 1.0 / 40320;
    p = p * r + 1.0 / 5040;
    p = p * r + 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1;
    p = p * r + 1;
    return p * Double.longBitsToDouble((1023 + (long) k) << 52);
  }
}
