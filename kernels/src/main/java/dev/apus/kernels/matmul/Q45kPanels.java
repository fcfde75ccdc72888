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
final class Q45kPanels extends QuantPanels {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int BLOCK = 256;
  private static final int HALF_BLOCK = BLOCK / 2;
  private static final int WORDS = 8;
  private static final int WORD_BYTES = 4 * ROWS;
  private static final int NUMBERS_AT = 4 * ROWS;
  private static final int FIFTH_BITS_AT = NUMBERS_AT + 3 * WORD_BYTES;

  private final boolean fifthBit;
  private final long nibblesAt;

  /**
   * @param bits of one value, 4 or 5
   */
  Q45kPanels(WeightFormat format, int bits) {
    super(
        PanelLayout.of(
            format,
            new PanelLayout.Units(0, 2, 2),
            new PanelLayout.Units(4, 4, format.blockBytes() / 4 - 1)),
        GROUP,
        true);
    this.fifthBit = bits == 5;
    this.nibblesAt = fifthBit ? FIFTH_BITS_AT + WORDS * WORD_BYTES : FIFTH_BITS_AT;
  }

  @Override
  void steps(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    long at = panelAt + layout().blockAt(from);
    Halves.decode(packed, at, 2 * ROWS, scratch, SCALES_AT);
    grids(packed, at + NUMBERS_AT, from / HALF_BLOCK % 2, scratch, lane);
  }

  @Override
  void words(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    long at = panelAt + layout().blockAt(from);
    int sub = from % BLOCK / GROUP;
    long wordsAt = at + nibblesAt + (long) (sub / 2) * WORDS * WORD_BYTES;
    int to = WORDS_AT + lane;
    if (fifthBit) {
      fiveBits(packed, wordsAt, sub % 2 * 4, at + FIFTH_BITS_AT, sub, scratch, to);
    } else {
      fourBits(packed, wordsAt, sub % 2 * 4, scratch, to);
    }
  }

  /** Steps and lows of the four sub-blocks in one half of a block. */
  private static void grids(MemorySegment packed, long at, int half, float[] scratch, int lane) {
    for (int row = 0; row < ROWS; row += F.length()) {
      FloatVector scale = FloatVector.fromArray(F, scratch, SCALES_AT + row);
      FloatVector minimum = FloatVector.fromArray(F, scratch, SCALES_AT + ROWS + row);
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
            .intoArray(scratch, STEPS_AT + i * Tiles.STRIDE + lane + row);
        minimum
            .mul((FloatVector) minimumI.convertShape(I2F, F, 0))
            .neg()
            .intoArray(scratch, LOWS_AT + i * Tiles.STRIDE + lane + row);
      }
    }
  }

  private static void fourBits(MemorySegment packed, long at, int shift, float[] scratch, int to) {
    for (int i = 0; i < WORDS; i++) {
      for (int row = 0; row < ROWS; row += I.length()) {
        long wordAt = at + 4L * (i * ROWS + row);
        IntVector.fromMemorySegment(I, packed, wordAt, ByteOrder.LITTLE_ENDIAN)
            .lanewise(LSHR, shift)
            .and(0x0f0f0f0f)
            .reinterpretAsFloats()
            .intoArray(scratch, to + i * Tiles.STRIDE + row);
      }
    }
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
