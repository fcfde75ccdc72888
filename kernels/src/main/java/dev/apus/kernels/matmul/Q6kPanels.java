package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of {@link WeightFormat#Q6_K}: 32 scales, the lower four bits of all columns, their upper
 * two, and the scales of the sub-blocks.
 */
final class Q6kPanels extends QuantPanels {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int BLOCK = 256;
  private static final int HALF_BLOCK = BLOCK / 2;
  private static final int WORDS = 8;
  private static final int WORD_BYTES = 4 * ROWS;
  private static final int LOWER_AT = 2 * ROWS;
  private static final int UPPER_AT = LOWER_AT + 4 * WORDS * WORD_BYTES;
  private static final int NUMBERS_AT = UPPER_AT + 2 * WORDS * WORD_BYTES;
  private static final int ZERO_Q = 32;

  Q6kPanels() {
    super(
        PanelLayout.of(
            WeightFormat.Q6_K, new PanelLayout.Units(208, 2, 1), new PanelLayout.Units(0, 4, 52)),
        16,
        false,
        ZERO_Q);
  }

  @Override
  void steps(MemorySegment packed, long panelAt, int from, int width, float[] scratch, int lane) {
    long at = panelAt + layout().blockAt(from);
    Halves.decode(packed, at, scratch, SCALES_AT);
    steps(packed, at + NUMBERS_AT + from / HALF_BLOCK % 2 * 2L * WORD_BYTES, scratch, lane);
  }

  @Override
  void words(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    long at = panelAt + layout().blockAt(from);
    long half = from / HALF_BLOCK % 2;
    int quarter = from % HALF_BLOCK / GROUP;
    long lowerAt = at + LOWER_AT + (2 * half + quarter % 2) * WORDS * WORD_BYTES;
    long upperAt = at + UPPER_AT + half * WORDS * WORD_BYTES;
    words(packed, lowerAt, quarter / 2 * 4, upperAt, quarter * 2, scratch, WORDS_AT + lane);
  }

  /** Steps of the eight sub-blocks in one half of a block. */
  private static void steps(MemorySegment packed, long at, float[] scratch, int lane) {
    for (int row = 0; row < ROWS; row += F.length()) {
      FloatVector scale = FloatVector.fromArray(F, scratch, SCALES_AT + row);
      for (int i = 0; i < 8; i++) {
        IntVector number =
            IntVector.fromMemorySegment(
                    I, packed, at + i / 4 * WORD_BYTES + 4L * row, ByteOrder.LITTLE_ENDIAN)
                .lanewise(LSHL, 24 - i % 4 * 8)
                .lanewise(ASHR, 24);
        scale
            .mul((FloatVector) number.convertShape(I2F, F, 0))
            .intoArray(scratch, STEPS_AT + i * Tiles.STRIDE + lane + row);
      }
    }
  }

  private static void words(
      MemorySegment packed,
      long lowerAt,
      int lowerShift,
      long upperAt,
      int upperShift,
      float[] scratch,
      int to) {
    for (int i = 0; i < WORDS; i++) {
      for (int row = 0; row < ROWS; row += I.length()) {
        long wordAt = 4L * (i * ROWS + row);
        IntVector upper =
            IntVector.fromMemorySegment(I, packed, upperAt + wordAt, ByteOrder.LITTLE_ENDIAN)
                .lanewise(LSHR, upperShift)
                .and(0x03030303)
                .lanewise(LSHL, 4);
        IntVector.fromMemorySegment(I, packed, lowerAt + wordAt, ByteOrder.LITTLE_ENDIAN)
            .lanewise(LSHR, lowerShift)
            .and(0x0f0f0f0f)
            .or(upper)
            .reinterpretAsFloats()
            .intoArray(scratch, to + i * Tiles.STRIDE + row);
      }
    }
  }
}
