package dev.apus.kernels.matmul;

import dev.apus.kernels.Lanes;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Panels of {@link WeightFormat#F32}: a column is 32 floats. */
final class F32Panels implements PanelDecoder {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final PanelLayout LAYOUT =
      PanelLayout.of(WeightFormat.F32, new PanelLayout.Units(0, 4, 1));

  @Override
  public PanelLayout layout() {
    return LAYOUT;
  }

  @Override
  public void decode(
      MemorySegment packed, long panelAt, int from, int width, float[] scratch, int weightsAt) {
    long at = panelAt + 4L * ROWS * from;
    for (int k = 0; k < width; k++) {
      for (int row = 0; row < ROWS; row += F.length()) {
        FloatVector.fromMemorySegment(
                F, packed, at + 4L * (k * ROWS + row), ByteOrder.LITTLE_ENDIAN)
            .intoArray(scratch, weightsAt + k * STRIDE + row);
      }
    }
  }
}
