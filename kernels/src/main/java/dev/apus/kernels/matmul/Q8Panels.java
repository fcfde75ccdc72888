package dev.apus.kernels.matmul;

import dev.apus.kernels.Lanes;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** Panels of {@link WeightFormat#Q8_0}: 32 scales, then four columns of a row in each word. */
final class Q8Panels extends QuantPanels {

  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int WORDS = 8;
  private static final int WORDS_AT = 2 * ROWS;

  Q8Panels() {
    super(
        PanelLayout.of(
            WeightFormat.Q8_0, new PanelLayout.Units(0, 2, 1), new PanelLayout.Units(2, 4, WORDS)),
        GROUP,
        false);
  }

  @Override
  void steps(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    Halves.decode(packed, panelAt + layout().blockAt(from), ROWS, scratch, STEPS_AT + lane);
  }

  @Override
  void words(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    long at = panelAt + layout().blockAt(from) + WORDS_AT;
    for (int i = 0; i < WORDS; i++) {
      for (int row = 0; row < ROWS; row += I.length()) {
        IntVector.fromMemorySegment(I, packed, at + 4L * (i * ROWS + row), ByteOrder.LITTLE_ENDIAN)
            .reinterpretAsFloats()
            .intoArray(scratch, QuantPanels.WORDS_AT + i * Tiles.STRIDE + lane + row);
      }
    }
  }
}
