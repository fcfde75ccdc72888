package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;

/** The size of a packed panel: the bytes of its rows, rounded up to whole cache lines. */
final class Panels {

  private static final int LINE = 64;

  private Panels() {}

  static long bytes(WeightFormat format, int cols) {
    long bytes = format.rowBytes(cols) * Matmul.PANEL_ROWS;
    return Math.ceilDiv(bytes, LINE) * LINE;
  }
}
