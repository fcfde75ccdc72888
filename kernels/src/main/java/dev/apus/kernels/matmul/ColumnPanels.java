package dev.apus.kernels.matmul;

import java.lang.foreign.MemorySegment;

/** Panels whose columns can be read from any one on: what {@link PanelProducts} are made of. */
interface ColumnPanels {

  /** Tokens that {@link #extendFour} takes. */
  int FOUR = 4;

  /** For more tokens than this, decoding columns once for all of them is faster. */
  int FEW = 8;

  /** The byte of a panel where a column begins. */
  long columnAt(int col);

  /** Decodes {@code width} columns from these bytes on, as {@link PanelDecoder#decode} does. */
  void decodeColumns(
      MemorySegment packed, long nearAt, long farAt, int width, float[] scratch, int weightsAt);

  /** Extends the sums of one token by {@code cols} columns from these bytes on. */
  void extend(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int cols,
      float[] x,
      int xAt,
      float[] scratch,
      int sumsAt);

  /** Extends the sums of a few tokens by the first {@code width} columns. */
  default void extendFew(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int width,
      float[] x,
      int xAt,
      int xStride,
      int tokens,
      float[] scratch,
      int sumsAt) {
    int t = 0;
    for (; tokens - t >= FOUR - 1; t += FOUR) {
      int last = Math.min(FOUR, tokens - t) - 1;
      int xFrom = xAt + t * xStride;
      int to = sumsAt + t * Tiles.STRIDE;
      extendFour(packed, nearAt, farAt, width, x, xFrom, xStride, last, scratch, to);
    }
    for (; t < tokens; t++) {
      int to = sumsAt + t * Tiles.STRIDE;
      extend(packed, nearAt, farAt, width, x, xAt + t * xStride, scratch, to);
    }
  }

  /**
   * Extends the sums of three or four tokens by the first {@code width} columns; the far panel's
   * only if it is another than the near one.
   *
   * @param last 3, or 2 if there is no fourth token: then the third one is computed twice, with the
   *     same sums stored to the same place
   */
  void extendFour(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int width,
      float[] x,
      int xAt,
      int xStride,
      int last,
      float[] scratch,
      int sumsAt);
}
