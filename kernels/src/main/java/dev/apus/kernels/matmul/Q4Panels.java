package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of {@link WeightFormat#Q4_0}: 32 scales, then in each word four columns of a row, and in
 * its upper nibbles the four that are 16 further on.
 */
final class Q4Panels extends QuantPanels {

  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int WORDS = 4;
  private static final int WORDS_AT = 2 * ROWS;
  private static final byte ZERO_Q = 8;

  Q4Panels() {
    super(
        PanelLayout.of(
            WeightFormat.Q4_0, new PanelLayout.Units(0, 2, 1), new PanelLayout.Units(2, 4, WORDS)),
        GROUP,
        false);
  }

  @Override
  void steps(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    Halves.decode(packed, panelAt + layout().blockAt(from), 1, scratch, STEPS_AT + lane, 0);
  }

  @Override
  void words(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    long at = panelAt + layout().blockAt(from) + WORDS_AT;
    for (int i = 0; i < WORDS; i++) {
      for (int row = 0; row < ROWS; row += I.length()) {
        IntVector eight =
            IntVector.fromMemorySegment(
                I, packed, at + 4L * (i * ROWS + row), ByteOrder.LITTLE_ENDIAN);
        ByteVector lower = eight.and(0x0f0f0f0f).reinterpretAsBytes();
        ByteVector upper = eight.lanewise(LSHR, 4).and(0x0f0f0f0f).reinterpretAsBytes();
        int to = QuantPanels.WORDS_AT + i * Tiles.STRIDE + lane + row;
        lower.sub(ZERO_Q).reinterpretAsFloats().intoArray(scratch, to);
        upper.sub(ZERO_Q).reinterpretAsFloats().intoArray(scratch, to + WORDS * Tiles.STRIDE);
      }
    }
  }
}
