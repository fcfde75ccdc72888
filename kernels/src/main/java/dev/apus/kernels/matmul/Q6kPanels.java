package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of {@link WeightFormat#Q6_K}: 32 scales, the scales of the sub-blocks, and for each half
 * of the columns eight words of a row with the upper two bits, then nibbles as in Q4_K. So all is
 * read in the order in which it lies.
 */
final class Q6kPanels extends SplitPanels {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int BLOCK = 256;
  private static final int HALF_BLOCK = BLOCK / 2;
  private static final int NUMBERS_AT = 2 * ROWS;
  private static final int HALVES_AT = NUMBERS_AT + BLOCK / 16 * ROWS;
  private static final int HALF_BYTES = 3 * RUN_BYTES;
  private static final int LOWER_BYTES = HALF_BLOCK / 2;
  private static final long NIBBLES = 0x0f0f0f0f0f0f0f0fL;
  private static final int ZERO_Q = 32;

  Q6kPanels() {
    super(
        PanelLayout.of(
            WeightFormat.Q6_K,
            Q6kPanels::exchange,
            new PanelLayout.Units(208, 2, 1),
            new PanelLayout.Units(192, 4, 4),
            new PanelLayout.Units(128, 4, 8),
            new PanelLayout.Units(0, 4, 16),
            new PanelLayout.Units(160, 4, 8),
            new PanelLayout.Units(64, 4, 16)),
        16,
        2);
  }

  @Override
  void steps(MemorySegment packed, long panelAt, int from, int width, float[] scratch, int lane) {
    long at = panelAt + layout().blockAt(from);
    Halves.decode(packed, at, scratch, SCALES_AT);
    steps(packed, at + NUMBERS_AT + from / HALF_BLOCK % 2 * 2L * WORD_BYTES, scratch, lane);
  }

  @Override
  long lowerAt(int col) {
    return upperAt(col) + (1 + col % HALF_BLOCK / (2 * GROUP)) * RUN_BYTES;
  }

  @Override
  long upperAt(int col) {
    return layout().blockAt(col) + HALVES_AT + (long) (col % BLOCK / HALF_BLOCK) * HALF_BYTES;
  }

  @Override
  int turn(int col) {
    return 4 - 2 * (col % HALF_BLOCK / GROUP);
  }

  /**
   * Where quarters 0 and 2, 1 and 3 of a half have shared bytes, 0 and 1, 2 and 3 do afterwards.
   */
  private static void exchange(byte[] block, int at) {
    for (int half = at; half < at + 2 * LOWER_BYTES; half += LOWER_BYTES) {
      for (int i = half; i < half + LOWER_BYTES / 2; i += Long.BYTES) {
        int j = i + LOWER_BYTES / 2;
        long a = (long) Transposition.LONG.get(block, i);
        long b = (long) Transposition.LONG.get(block, j);
        Transposition.LONG.set(block, i, a & NIBBLES | (b & NIBBLES) << 4);
        Transposition.LONG.set(block, j, a >>> 4 & NIBBLES | b & ~NIBBLES);
      }
    }
  }

  /** Steps, and lows that stand for zero, exactly, of the eight sub-blocks in half a block. */
  private static void steps(MemorySegment packed, long at, float[] scratch, int lane) {
    for (int row = 0; row < ROWS; row += F.length()) {
      FloatVector scale = FloatVector.fromArray(F, scratch, SCALES_AT + row);
      // NaN where it is not finite.
      scale = scale.add(scale.sub(scale));
      for (int i = 0; i < 8; i++) {
        IntVector number =
            IntVector.fromMemorySegment(
                    I, packed, at + i / 4 * WORD_BYTES + 4L * row, ByteOrder.LITTLE_ENDIAN)
                .lanewise(LSHL, 24 - i % 4 * 8)
                .lanewise(ASHR, 24);
        FloatVector step = scale.mul((FloatVector) number.convertShape(I2F, F, 0));
        int to = i * Tiles.STRIDE + lane + row;
        step.intoArray(scratch, STEPS_AT + to);
        step.mul(-ZERO_Q).intoArray(scratch, LOWS_AT + to);
      }
    }
  }
}
