package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The steps and lows of Q4_K and Q5_K: 32 scales and 32 minima, and three words of 6-bit numbers.
 */
final class KGrids {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int WORD_BYTES = 4 * ROWS;
  private static final int NUMBERS_AT = 4 * ROWS;

  /** Bytes of all this in a block. */
  static final int BYTES = NUMBERS_AT + 3 * WORD_BYTES;

  private KGrids() {}

  /** Decodes the steps and lows of one half of the block at {@code at}, 0 or 1. */
  static void decode(
      MemorySegment packed, long at, int half, float[] scratch, int stepsAt, int lowsAt) {
    scales(packed, at, scratch);
    grids(packed, at, half, 0, 1, scratch, stepsAt, lowsAt);
  }

  /** Decodes the scales and minima of a block, which its halves need. */
  static void scales(MemorySegment packed, long at, float[] scratch) {
    Halves.decode(packed, at, scratch, QuantPanels.SCALES_AT);
    Halves.decode(packed, at + 2 * ROWS, scratch, QuantPanels.SCALES_AT + ROWS);
  }

  /**
   * Steps and lows of the four sub-blocks in one half of a block, those of a sub-block {@link
   * Tiles#STRIDE} after those of the one before.
   *
   * @param zero what is subtracted from the numbers that meet them: lows make up for it
   * @param times a power of two that steps, but not lows, are multiplied by
   */
  static void grids(
      MemorySegment packed,
      long at,
      int half,
      int zero,
      float times,
      float[] scratch,
      int stepsAt,
      int lowsAt) {
    for (int row = 0; row < ROWS; row += F.length()) {
      FloatVector scale = FloatVector.fromArray(F, scratch, QuantPanels.SCALES_AT + row);
      FloatVector minimum =
          FloatVector.fromArray(F, scratch, QuantPanels.SCALES_AT + ROWS + row).neg();
      long wordAt = at + NUMBERS_AT + 4L * row;
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
        int to = i * Tiles.STRIDE + row;
        FloatVector step = scale.mul((FloatVector) scales.and(0xff).convertShape(I2F, F, 0));
        step.mul(times).intoArray(scratch, stepsAt + to);
        FloatVector low = minimum.mul((FloatVector) minima.and(0xff).convertShape(I2F, F, 0));
        if (zero == 0) {
          // To add nothing would change the sign of a low that is zero.
          low.intoArray(scratch, lowsAt + to);
        } else {
          step.mul(zero).add(low).intoArray(scratch, lowsAt + to);
        }
        scales = scales.lanewise(LSHR, 8);
        minima = minima.lanewise(LSHR, 8);
      }
    }
  }
}
