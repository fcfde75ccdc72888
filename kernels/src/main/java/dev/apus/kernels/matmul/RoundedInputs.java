package dev.apus.kernels.matmul;

/**
 * Inputs as whole numbers: every {@link #SPAN} columns of a token become numbers from −127 to 127
 * and a scale.
 *
 * <pre>
 *   m = max |xₖ|,   qₖ = xₖ · (127 / m) to the nearest, ties to even,   scale = m / 127
 * </pre>
 *
 * <p>Where m is below 2⁻¹⁰⁰ all numbers are 0, and where an input is not finite, neither is the
 * scale. As kernels read them, a number fills both halves of a word, and the words lie in arrays of
 * floats, as their bits.
 */
final class RoundedInputs {

  /** Columns that share a scale. */
  static final int SPAN = 32;

  /** Behind the numbers of a span: what its sums of products begin with. */
  static final int START = SPAN;

  /** The scale of a span. */
  static final int SCALE = SPAN + 1;

  /** The scale times the sum of the numbers. */
  static final int TOTAL = SPAN + 2;

  /** Sums of products that begin with zero, but with {@link #LOWER_ZERO} in a lower half. */
  static final int LOWER_START = SPAN + 3;

  /** Makes sums in lower halves of words unsigned. */
  static final int LOWER_ZERO = 1 << 15;

  /** Floats that a span of a token takes. */
  static final int FLOATS = SPAN + 4;

  private static final int LARGEST = 127;

  /** Makes up, in a step, for a sum whose half of a word becomes the upper one. */
  static final float PER_WHOLE = 0x1p-16f;

  /** Added to a small number, it leaves that one rounded in the lowest bits. */
  static final float ROUNDING = 0x1.8p23f;

  static final int ROUNDING_BITS = Float.floatToRawIntBits(ROUNDING);

  private static final float SMALLEST = 0x1p-100f;
  private static final int HALF = 0xffff;

  private RoundedInputs() {}

  static float perScale(float largest) {
    return largest < SMALLEST ? 0 : LARGEST / largest;
  }

  /** A number from −127 to 127. */
  static int rounded(float x, float perScale) {
    return (short) Float.floatToRawIntBits(x * perScale + ROUNDING);
  }

  /** A number in both halves of a word. */
  static float twice(int number) {
    return Float.intBitsToFloat(number & HALF | number << Short.SIZE);
  }

  /**
   * Puts what follows the numbers of a span.
   *
   * @param zero what is subtracted from the stored weights that these numbers meet
   */
  static void finish(float largest, int sum, int zero, float[] to, int toAt) {
    float scale = largest / LARGEST;
    to[toAt + START] = twice(-zero * sum);
    to[toAt + SCALE] = scale;
    to[toAt + TOTAL] = scale * sum;
    to[toAt + LOWER_START] = Float.intBitsToFloat(LOWER_ZERO);
  }
}
