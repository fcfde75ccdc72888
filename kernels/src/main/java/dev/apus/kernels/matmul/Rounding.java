package dev.apus.kernels.matmul;

/**
 * Brings inputs to the whole numbers that a {@link RoundingMatmul} reads: once for all that
 * multiply the same inputs.
 */
public interface Rounding {

  /** How many floats the numbers of so many tokens take; at least one if there are any. */
  int floats(int cols, int tokens);

  /**
   * Rounds the tokens {@code [from, to)}; others of them may be rounded at the same time.
   *
   * @param x token {@code t}'s inputs begin at {@code xAt + t · xStride}
   * @param tokens all whose numbers lie together
   * @param rounded has {@link #floats} floats for these from {@code roundedAt}
   */
  void round(
      float[] x,
      int xAt,
      int xStride,
      int cols,
      int tokens,
      int from,
      int to,
      float[] rounded,
      int roundedAt);
}
