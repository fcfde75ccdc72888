package dev.apus.kernels.matmul;

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
 * Panels of {@link WeightFormat#Q4_K} and {@link WeightFormat#Q5_K}: 32 scales and 32 minima, three
 * words with the numbers of the sub-blocks, the fifth bits of Q5_K, and the nibbles.
 */
final class Q45kPanels implements PanelDecoder {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int BLOCK = 256;
  private static final int HALF_BLOCK = BLOCK / 2;
  private static final int SUB = 32;
  private static final int SUB_WORDS = 8;
  private static final int WORD_BYTES = 4 * ROWS;
  private static final int NUMBERS_AT = 4 * ROWS;
  private static final int FIFTH_BITS_AT = NUMBERS_AT + 3 * WORD_BYTES;

  private final boolean fifthBit;
  private final long nibblesAt;
  private final PanelLayout layout;

  /**
   * @param bits of one value, 4 or 5
   */
  Q45kPanels(int bits) {
    WeightFormat format = bits == 5 ? WeightFormat.Q5_K : WeightFormat.Q4_K;
    this.fifthBit = bits == 5;
    this.nibblesAt = fifthBit ? FIFTH_BITS_AT + SUB_WORDS * WORD_BYTES : FIFTH_BITS_AT;
    this.layout =
        PanelLayout.of(
            format,
            new PanelLayout.Units(0, 2, 2),
            new PanelLayout.Units(4, 4, format.blockBytes() / 4 - 1));
  }

  @Override
  public PanelLayout layout() {
    return layout;
  }

  @Override
  public void decode(
      MemorySegment packed, long panelAt, int from, int width, float[] scratch, int weightsAt) {
    long at = panelAt + from / BLOCK * layout.blockBytes();
    int half = from / HALF_BLOCK % 2;
    Halves.decode(packed, at, 2 * ROWS, scratch, Quants.SCALES_AT);
    grids(packed, at + NUMBERS_AT, half, scratch);
    for (int i = 0; i < width / SUB; i++) {
      int sub = 4 * half + i;
      long wordsAt = at + nibblesAt + (long) (sub / 2) * SUB_WORDS * WORD_BYTES;
      if (fifthBit) {
        fiveBits(packed, wordsAt, sub % 2 * 4, at + FIFTH_BITS_AT, sub, scratch);
      } else {
        fourBits(packed, wordsAt, sub % 2 * 4, scratch);
      }
      Quants.decode(
          scratch,
          Quants.WORDS_AT,
          SUB_WORDS,
          Quants.STEPS_AT + i * ROWS,
          Quants.LOWS_AT + i * ROWS,
          weightsAt + i * SUB * STRIDE);
    }
  }

  /** Steps and lows of the four sub-blocks in one half of a block. */
  private static void grids(MemorySegment packed, long at, int half, float[] scratch) {
    for (int row = 0; row < ROWS; row += F.length()) {
      FloatVector scale = FloatVector.fromArray(F, scratch, Quants.SCALES_AT + row);
      FloatVector minimum = FloatVector.fromArray(F, scratch, Quants.SCALES_AT + ROWS + row);
      long wordAt = at + 4L * row;
      IntVector scales = IntVector.fromMemorySegment(I, packed, wordAt, ByteOrder.LITTLE_ENDIAN);
      IntVector minima =
          IntVector.fromMemorySegment(I, packed, wordAt + WORD_BYTES, ByteOrder.LITTLE_ENDIAN);
      if (half == 0) {
        scales = scales.and(0x3f3f3f3f);
        minima = minima.and(0x3f3f3f3f);
      } else {
        IntVector lower =
            IntVector.fromMemorySegment(
                I, packed, wordAt + 2 * WORD_BYTES, ByteOrder.LITTLE_ENDIAN);
        scales = scales.lanewise(LSHR, 2).and(0x30303030).or(lower.and(0x0f0f0f0f));
        minima =
            minima.lanewise(LSHR, 2).and(0x30303030).or(lower.lanewise(LSHR, 4).and(0x0f0f0f0f));
      }
      for (int i = 0; i < 4; i++) {
        IntVector scaleI = scales.lanewise(LSHR, 8 * i).and(0xff);
        IntVector minimumI = minima.lanewise(LSHR, 8 * i).and(0xff);
        scale
            .mul((FloatVector) scaleI.convertShape(I2F, F, 0))
            .intoArray(scratch, Quants.STEPS_AT + i * ROWS + row);
        minimum
            .mul((FloatVector) minimumI.convertShape(I2F, F, 0))
            .neg()
            .intoArray(scratch, Quants.LOWS_AT + i * ROWS + row);
      }
    }
  }

  private static void fourBits(MemorySegment packed, long at, int shift, float[] scratch) {
    for (int i = 0; i < SUB_WORDS * ROWS; i += I.length()) {
      IntVector.fromMemorySegment(I, packed, at + 4L * i, ByteOrder.LITTLE_ENDIAN)
          .lanewise(LSHR, shift)
          .and(0x0f0f0f0f)
          .reinterpretAsFloats()
          .intoArray(scratch, Quants.WORDS_AT + i);
    }
  }

  private static void fiveBits(
      MemorySegment packed, long at, int shift, long fifthAt, int sub, float[] scratch) {
    for (int i = 0; i < SUB_WORDS * ROWS; i += I.length()) {
      IntVector fifth =
          IntVector.fromMemorySegment(I, packed, fifthAt + 4L * i, ByteOrder.LITTLE_ENDIAN)
              .lanewise(LSHR, sub)
              .and(0x01010101)
              .lanewise(LSHL, 4);
      IntVector.fromMemorySegment(I, packed, at + 4L * i, ByteOrder.LITTLE_ENDIAN)
          .lanewise(LSHR, shift)
          .and(0x0f0f0f0f)
          .or(fifth)
          .reinterpretAsFloats()
          .intoArray(scratch, Quants.WORDS_AT + i);
    }
  }
}
