package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;

/** Panels of {@link WeightFormat#F16}: a column is 32 halves. */
final class F16Panels extends PanelDecoder {

  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int COLUMN_BYTES = 2 * ROWS;

  F16Panels() {
    super(PanelLayout.of(WeightFormat.F16, new PanelLayout.Units(0, 2, 1)));
  }

  @Override
  void decode(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int from,
      int width,
      float[] scratch,
      int weightsAt) {
    for (int k = 0; k < width; k++) {
      long at = (long) (from + k) * COLUMN_BYTES;
      int to = weightsAt + k * Tiles.STRIDE;
      Halves.decode(packed, nearAt + at, scratch, to);
      if (farAt != nearAt) {
        Halves.decode(packed, farAt + at, scratch, to + ROWS);
      }
    }
  }
}
