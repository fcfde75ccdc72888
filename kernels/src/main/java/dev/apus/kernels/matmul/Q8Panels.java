package dev.apus.kernels.matmul;

import dev.apus.kernels.Lanes;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** Panels of {@link WeightFormat#Q8_0}: 32 scales, then four columns of a row in each word. */
final class Q8Panels implements PanelDecoder {

  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int BLOCK = 32;
  private static final int WORDS = 8;
  private static final int WORDS_AT = 2 * ROWS;
  private static final PanelLayout LAYOUT =
      PanelLayout.of(
          WeightFormat.Q8_0, new PanelLayout.Units(0, 2, 1), new PanelLayout.Units(2, 4, WORDS));

  @Override
  public PanelLayout layout() {
    return LAYOUT;
  }

  @Override
  public void decode(
      MemorySegment packed, long panelAt, int from, int width, float[] scratch, int weightsAt) {
    Quants.withoutLows(scratch);
    for (int k = 0; k < width; k += BLOCK) {
      long at = panelAt + (from + k) / BLOCK * LAYOUT.blockBytes();
      Halves.decode(packed, at, ROWS, scratch, Quants.STEPS_AT);
      words(packed, at + WORDS_AT, scratch);
      Quants.decode(
          scratch, Quants.WORDS_AT, WORDS, Quants.STEPS_AT, Quants.LOWS_AT, weightsAt + k * STRIDE);
    }
  }

  private static void words(MemorySegment packed, long at, float[] scratch) {
    for (int i = 0; i < WORDS * ROWS; i += I.length()) {
      IntVector.fromMemorySegment(I, packed, at + 4L * i, ByteOrder.LITTLE_ENDIAN)
          .reinterpretAsFloats()
          .intoArray(scratch, Quants.WORDS_AT + i);
    }
  }
}
