package dev.apus.core.generate;

/**
 * {@code eˣ} for {@code x ≤ 0} from IEEE operations alone, so that it has the same bits everywhere.
 *
 * <p>{@code eˣ = (e^(x/4096))^4096}: a Taylor polynomial of degree 6, then twelve squarings. The
 * relative error is below 10⁻¹¹ for results above 10⁻²⁷. StrictMath promises the same bits too, but
 * a vocabulary of 150 000 tokens makes its time felt; this has no branches and touches no bits, so
 * compilers vectorise it.
 */
public final class Exponential {

  /** From here down the result is 0: far smaller than anything that could change a sum. */
  private static final double SMALLEST = -100;

  private static final double LEAST = positive(SMALLEST);

  private Exponential() {}

  /**
   * {@code eˣ} for x of at most 0.
   *
   * <p>Subtracting {@code exp(SMALLEST)} makes that 0 and changes nothing above 10⁻²⁷.
   */
  public static double of(double x) {
    return positive(Math.max(x, SMALLEST)) - LEAST;
  }

  /** {@code weights[i] = exp((logits[at + i] − max) · scale)}. */
  static void fill(double[] weights, int count, float[] logits, int at, float max, double scale) {
    for (int i = 0; i < count; i++) {
      weights[i] = of(((double) logits[at + i] - max) * scale);
    }
  }

  private static double positive(double x) {
    double r = x * 0x1p-12;
    double p = 1.0 / 720;
    p = p * r + 1.0 / 120;
    p = p * r + 1.0 / 24;
    p = p * r + 1.0 / 6;
    p = p * r + 0.5;
    p = p * r + 1;
    p = p * r + 1;
    double p2 = p * p;
    double p4 = p2 * p2;
    double p8 = p4 * p4;
    double p16 = p8 * p8;
    double p32 = p16 * p16;
    double p64 = p32 * p32;
    double p128 = p64 * p64;
    double p256 = p128 * p128;
    double p512 = p256 * p256;
    double p1024 = p512 * p512;
    double p2048 = p1024 * p1024;
    return p2048 * p2048;
  }
}
