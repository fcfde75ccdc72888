package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.Lanes;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of {@link WeightFormat#Q4_0}: 32 scales, then in each word four columns of a row, and in
 * its upper nibbles the four that are 16 further on.
 */
final class Q4Panels implements PanelDecoder {

  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int BLOCK = 32;
  private static final int WORDS = 4;
  private static final int WORDS_AT = 2 * ROWS;
  private static final byte ZERO_Q = 8;
  private static final PanelLayout LAYOUT =
      PanelLayout.of(
          WeightFormat.Q4_0, new PanelLayout.Units(0, 2, 1), new PanelLayout.Units(2, 4, WORDS));

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
          scratch,
          Quants.WORDS_AT,
          2 * WORDS,
          Quants.STEPS_AT,
          Quants.LOWS_AT,
          weightsAt + k * STRIDE);
    }
  }

  private static void words(MemorySegment packed, long at, float[] scratch) {
    for (int i = 0; i < WORDS * ROWS; i += I.length()) {
      IntVector eight =
          IntVector.fromMemorySegment(I, packed, at + 4L * i, ByteOrder.LITTLE_ENDIAN);
      ByteVector lower = eight.and(0x0f0f0f0f).reinterpretAsBytes();
      ByteVector upper = eight.lanewise(LSHR, 4).and(0x0f0f0f0f).reinterpretAsBytes();
      int to = Quants.WORDS_AT + i;
      lower.sub(ZERO_Q).reinterpretAsFloats().intoArray(scratch, to);
      upper.sub(ZERO_Q).reinterpretAsFloats().intoArray(scratch, to + WORDS * ROWS);
    }
  }
}
