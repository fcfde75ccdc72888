package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;

/** Panels of {@link WeightFormat#F16}: a column is 32 halves. */
final class F16Panels implements PanelDecoder {

  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final PanelLayout LAYOUT =
      PanelLayout.of(WeightFormat.F16, new PanelLayout.Units(0, 2, 1));

  @Override
  public PanelLayout layout() {
    return LAYOUT;
  }

  @Override
  public void decode(
      MemorySegment packed, long panelAt, int from, int width, float[] scratch, int weightsAt) {
    long at = panelAt + 2L * ROWS * from;
    for (int k = 0; k < width; k++) {
      Halves.decode(packed, at + 2L * ROWS * k, ROWS, scratch, weightsAt + k * STRIDE);
    }
  }
}
