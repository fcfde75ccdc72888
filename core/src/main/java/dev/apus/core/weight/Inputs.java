package dev.apus.core.weight;

import dev.apus.kernels.matmul.Matmul;
import dev.apus.kernels.matmul.RoundingMatmul;
import java.lang.foreign.MemorySegment;

/**
 * What a product multiplies by weights.
 *
 * @param x token {@code t}'s inputs begin at {@code at + t · stride}
 * @param rounded the same as the panels' {@link Panels#rounding} makes them, or null if nobody has
 *     rounded them
 */
record Inputs(float[] x, int at, int stride, int tokens, float[] rounded, int roundedAt) {

  /** Inputs as they are. */
  Inputs(float[] x, int at, int stride, int tokens) {
    this(x, at, stride, tokens, null, 0);
  }

  /** The same, which somebody has rounded. */
  Inputs rounded(float[] values, int valuesAt) {
    return new Inputs(x, at, stride, tokens, values, valuesAt);
  }

  /** How many floats of scratch {@link #multiply} needs. */
  int scratchFloats(Matmul matmul, int cols) {
    return rounded != null && matmul instanceof RoundingMatmul rounding
        ? rounding.roundedScratchFloats(cols, tokens)
        : matmul.scratchFloats(cols, tokens);
  }

  /** Computes outputs in either way. */
  void multiply(
      Matmul matmul,
      MemorySegment packed,
      int rows,
      int cols,
      int fromPanel,
      int toPanel,
      float[] y,
      int yAt,
      int yStride,
      float[] scratch) {
    if (rounded != null && matmul instanceof RoundingMatmul rounding) {
      rounding.multiplyRounded(
          packed, rows, cols, fromPanel, toPanel, rounded, roundedAt, tokens, y, yAt, yStride,
          scratch);
    } else {
      matmul.multiply(
          packed, rows, cols, fromPanel, toPanel, x, at, stride, tokens, y, yAt, yStride, scratch);
    }
  }
}
