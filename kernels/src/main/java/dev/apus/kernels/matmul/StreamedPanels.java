package dev.apus.kernels.matmul;

import java.lang.foreign.MemorySegment;

/**
 * Panels of a format without blocks, whose values become floats in a step or two: so the sums of a
 * few tokens, too, are extended straight from the packed bytes.
 */
abstract class StreamedPanels extends PanelDecoder {

  /** Tokens that {@link #extendFour} takes. */
  static final int FOUR = 4;

  StreamedPanels(PanelLayout layout) {
    super(layout);
  }

  /**
   * Extends the sums of three or four tokens by the first {@code width} columns; the far panel's
   * only if it is another than the near one.
   *
   * @param last 3, or 2 if there is no fourth token: then the third one is computed twice, with the
   *     same sums stored to the same place
   */
  abstract void extendFour(
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
