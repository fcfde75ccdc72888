package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of {@link WeightFormat#Q5_K}: the grids, eight words of a row with the fifth bits of all
 * columns, then nibbles as in Q4_K.
 */
final class Q5kPanels extends QuantPanels {

  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int BLOCK = 256;
  private static final int WORDS = 8;
  private static final int WORD_BYTES = 4 * ROWS;
  private static final int FIFTH_BITS_AT = KGrids.BYTES;
  private static final int NIBBLES_AT = FIFTH_BITS_AT + WORDS * WORD_BYTES;

  Q5kPanels() {
    super(
        PanelLayout.of(
            WeightFormat.Q5_K, new PanelLayout.Units(0, 2, 2), new PanelLayout.Units(4, 4, 43)),
        GROUP,
        true,
        0);
  }

  @Override
  void steps(MemorySegment packed, long panelAt, int from, int width, float[] scratch, int lane) {
    int half = from / COLUMNS % 2;
    KGrids.decode(
        packed, panelAt + layout().blockAt(from), half, scratch, STEPS_AT + lane, LOWS_AT + lane);
  }

  @Override
  void words(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    long at = panelAt + layout().blockAt(from);
    int sub = from % BLOCK / GROUP;
    long nibblesAt = at + NIBBLES_AT + (long) (sub / 2) * WORDS * WORD_BYTES;
    fiveBits(packed, nibblesAt, sub % 2 * 4, at + FIFTH_BITS_AT, sub, scratch, WORDS_AT + lane);
  }

  private static void fiveBits(
      MemorySegment packed,
      long at,
      int shift,
      long fifthAt,
      int fifthShift,
      float[] scratch,
      int to) {
    for (int i = 0; i < WORDS; i++) {
      for (int row = 0; row < ROWS; row += I.length()) {
        long wordAt = 4L * (i * ROWS + row);
        IntVector fifth =
            IntVector.fromMemorySegment(I, packed, fifthAt + wordAt, ByteOrder.LITTLE_ENDIAN)
                .lanewise(LSHR, fifthShift)
                .and(0x01010101)
                .lanewise(LSHL, 4);
        IntVector.fromMemorySegment(I, packed, at + wordAt, ByteOrder.LITTLE_ENDIAN)
            .lanewise(LSHR, shift)
            .and(0x0f0f0f0f)
            .or(fifth)
            .reinterpretAsFloats()
            .intoArray(scratch, to + i * Tiles.STRIDE + row);
      }
    }
  }
}
