package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.Lanes;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of {@link WeightFormat#Q6_K}: 32 scales, the lower four bits of all columns, their upper
 * two, and the scales of the sub-blocks.
 */
final class Q6kPanels implements PanelDecoder {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int BLOCK = 256;
  private static final int HALF_BLOCK = BLOCK / 2;
  private static final int QUARTER = HALF_BLOCK / 4;
  private static final int QUARTER_WORDS = QUARTER / 4;
  private static final int SUB_WORDS = 4;
  private static final int WORD_BYTES = 4 * ROWS;
  private static final int LOWER_AT = 2 * ROWS;
  private static final int UPPER_AT = LOWER_AT + 4 * QUARTER_WORDS * WORD_BYTES;
  private static final int NUMBERS_AT = UPPER_AT + 2 * QUARTER_WORDS * WORD_BYTES;
  private static final byte ZERO_Q = 32;
  private static final PanelLayout LAYOUT =
      PanelLayout.of(
          WeightFormat.Q6_K, new PanelLayout.Units(208, 2, 1), new PanelLayout.Units(0, 4, 52));

  @Override
  public PanelLayout layout() {
    return LAYOUT;
  }

  @Override
  public void decode(
      MemorySegment packed, long panelAt, int from, int width, float[] scratch, int weightsAt) {
    long at = panelAt + from / BLOCK * LAYOUT.blockBytes();
    int half = from / HALF_BLOCK % 2;
    Quants.withoutLows(scratch);
    Halves.decode(packed, at, ROWS, scratch, Quants.SCALES_AT);
    steps(packed, at + NUMBERS_AT + 2L * half * WORD_BYTES, scratch);
    long lowerAt = at + LOWER_AT + 2L * half * QUARTER_WORDS * WORD_BYTES;
    long upperAt = at + UPPER_AT + (long) half * QUARTER_WORDS * WORD_BYTES;
    for (int i = 0; i < 4; i++) {
      long nibblesAt = lowerAt + (long) (i % 2) * QUARTER_WORDS * WORD_BYTES;
      words(packed, nibblesAt, i / 2 * 4, upperAt, i * 2, scratch);
      for (int sub = 0; sub < 2; sub++) {
        Quants.decode(
            scratch,
            Quants.WORDS_AT + sub * SUB_WORDS * ROWS,
            SUB_WORDS,
            Quants.STEPS_AT + (2 * i + sub) * ROWS,
            Quants.LOWS_AT,
            weightsAt + (i * QUARTER + sub * 4 * SUB_WORDS) * STRIDE);
      }
    }
  }

  /** Steps of the eight sub-blocks in one half of a block. */
  private static void steps(MemorySegment packed, long at, float[] scratch) {
    for (int row = 0; row < ROWS; row += F.length()) {
      FloatVector scale = FloatVector.fromArray(F, scratch, Quants.SCALES_AT + row);
      for (int i = 0; i < 8; i++) {
        IntVector number =
            IntVector.fromMemorySegment(
                    I, packed, at + i / 4 * WORD_BYTES + 4L * row, ByteOrder.LITTLE_ENDIAN)
                .lanewise(LSHL, 24 - i % 4 * 8)
                .lanewise(ASHR, 24);
        scale
            .mul((FloatVector) number.convertShape(I2F, F, 0))
            .intoArray(scratch, Quants.STEPS_AT + i * ROWS + row);
      }
    }
  }

  private static void words(
      MemorySegment packed,
      long lowerAt,
      int lowerShift,
      long upperAt,
      int upperShift,
      float[] scratch) {
    for (int i = 0; i < QUARTER_WORDS * ROWS; i += I.length()) {
      IntVector upper =
          IntVector.fromMemorySegment(I, packed, upperAt + 4L * i, ByteOrder.LITTLE_ENDIAN)
              .lanewise(LSHR, upperShift)
              .and(0x03030303)
              .lanewise(LSHL, 4);
      IntVector.fromMemorySegment(I, packed, lowerAt + 4L * i, ByteOrder.LITTLE_ENDIAN)
          .lanewise(LSHR, lowerShift)
          .and(0x0f0f0f0f)
          .or(upper)
          .reinterpretAsBytes()
          .sub(ZERO_Q)
          .reinterpretAsFloats()
          .intoArray(scratch, Quants.WORDS_AT + i);
    }
  }
}
