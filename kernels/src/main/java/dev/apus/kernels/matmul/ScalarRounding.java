package dev.apus.kernels.matmul;

/** {@link RoundedInputs} in plain Java: token after token, span after span. */
final class ScalarRounding implements Rounding {

  /** The one of all formats. */
  static final Rounding SHARED = new ScalarRounding();

  private static final int SPAN = RoundedInputs.SPAN;

  private ScalarRounding() {}

  /** Floats that a token takes. */
  static int rowFloats(int cols) {
    return cols / SPAN * RoundedInputs.FLOATS;
  }

  @Override
  public int floats(int cols, int tokens) {
    return Math.multiplyExact(tokens, rowFloats(cols));
  }

  @Override
  public void round(
      float[] x,
      int xAt,
      int xStride,
      int cols,
      int tokens,
      int from,
      int to,
      float[] rounded,
      int roundedAt) {
    for (int t = from; t < to; t++) {
      int at = roundedAt + t * rowFloats(cols);
      for (int col = 0; col < cols; col += SPAN) {
        span(x, xAt + t * xStride + col, rounded, at);
        at += RoundedInputs.FLOATS;
      }
    }
  }

  private static void span(float[] x, int xAt, float[] to, int toAt) {
    int most = 0;
    for (int k = 0; k < SPAN; k++) {
      most = Math.max(most, Float.floatToRawIntBits(Math.abs(x[xAt + k])));
    }
    float largest = Float.intBitsToFloat(most);
    float perScale = RoundedInputs.perScale(largest);
    int sum = 0;
    for (int k = 0; k < SPAN; k++) {
      int number = RoundedInputs.rounded(x[xAt + k], perScale);
      sum += number;
      to[toAt + k] = RoundedInputs.twice(number);
    }
    RoundedInputs.finish(largest, sum, NibbleFilling.ZERO, to, toAt);
  }
}
