package dev.apus.kernels.matmul;

import java.lang.foreign.MemorySegment;

/** A {@link Matmul} that rounds its inputs first, or takes those that somebody has rounded. */
public interface RoundingMatmul extends Matmul {

  /** What rounds the inputs; the same object for all that read the same numbers. */
  @Override
  Rounding rounding();

  /** How many floats of scratch {@link #multiplyRounded} needs for this many tokens. */
  int roundedScratchFloats(int cols, int tokens);

  /**
   * Does what {@link #multiply} does, with inputs that {@link #rounding} has rounded.
   *
   * @param rounded holds the numbers of all these tokens from {@code roundedAt}
   * @param scratch at least {@link #roundedScratchFloats} floats
   */
  void multiplyRounded(
      MemorySegment packed,
      int rows,
      int cols,
      int fromPanel,
      int toPanel,
      float[] rounded,
      int roundedAt,
      int tokens,
      float[] y,
      int yAt,
      int yStride,
      float[] scratch);

  @Override
  default int scratchFloats(int cols, int tokens) {
    return Math.addExact(roundedScratchFloats(cols, tokens), rounding().floats(cols, tokens));
  }

  @Override
  default void multiply(
      MemorySegment packed,
      int rows,
      int cols,
      int fromPanel,
      int toPanel,
      float[] x,
      int xAt,
      int xStride,
      int tokens,
      float[] y,
      int yAt,
      int yStride,
      float[] scratch) {
    int at = roundedScratchFloats(cols, tokens);
    rounding().round(x, xAt, xStride, cols, tokens, 0, tokens, scratch, at);
    multiplyRounded(
        packed, rows, cols, fromPanel, toPanel, scratch, at, tokens, y, yAt, yStride, scratch);
  }
}
