package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.S2I;

import dev.apus.kernels.Lanes;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/** Panels of {@link WeightFormat#BF16}: a column is 32 upper halves of floats. */
final class Bf16Panels implements PanelDecoder {

  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final VectorSpecies<Short> S = Lanes.I16;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final PanelLayout LAYOUT =
      PanelLayout.of(WeightFormat.BF16, new PanelLayout.Units(0, 2, 1));

  @Override
  public PanelLayout layout() {
    return LAYOUT;
  }

  @Override
  public void decode(
      MemorySegment packed, long panelAt, int from, int width, float[] scratch, int weightsAt) {
    long at = panelAt + 2L * ROWS * from;
    for (int k = 0; k < width; k++) {
      for (int row = 0; row < ROWS; row += I.length()) {
        IntVector upper =
            (IntVector)
                ShortVector.fromMemorySegment(
                        S, packed, at + 2L * (k * ROWS + row), ByteOrder.LITTLE_ENDIAN)
                    .convertShape(S2I, I, 0);
        upper
            .lanewise(LSHL, 16)
            .reinterpretAsFloats()
            .intoArray(scratch, weightsAt + k * STRIDE + row);
      }
    }
  }
}
