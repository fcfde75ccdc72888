package dev.apus.kernels.matmul;

import static dev.apus.kernels.matmul.PanelDecoder.STRIDE;
import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.apus.kernels.Lanes;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * What the quantised formats share: their quants, brought to signed bytes, become weights {@code
 * step · q + low}.
 *
 * <p>A decoder puts its words here first, four columns of a row in each, at {@link #WORDS_AT}.
 */
final class Quants {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final int ROWS = Matmul.PANEL_ROWS;

  /** Scales of the block as stored. */
  static final int SCALES_AT = 0;

  /** Steps of the sub-blocks, of all rows each. */
  static final int STEPS_AT = 2 * ROWS;

  /** Where the grids of the sub-blocks begin. */
  static final int LOWS_AT = STEPS_AT + 8 * ROWS;

  /** Words of 32 columns. */
  static final int WORDS_AT = LOWS_AT + 4 * ROWS;

  /** Floats from the start of the scratch that all of these take. */
  static final int FLOATS = WORDS_AT + 8 * ROWS;

  private Quants() {}

  /** Sets the lows of a format that has none: −0, so that adding it changes no bit. */
  static void withoutLows(float[] scratch) {
    Arrays.fill(scratch, LOWS_AT, LOWS_AT + ROWS, -0f);
  }

  /**
   * Decodes four columns from each of some words.
   *
   * @param wordsAt of the first word of row 0
   * @param stepAt of row 0's step
   * @param lowAt of row 0's low
   */
  static void decode(
      float[] scratch, int wordsAt, int words, int stepAt, int lowAt, int weightsAt) {
    for (int row = 0; row < ROWS; row += F.length()) {
      FloatVector step = FloatVector.fromArray(F, scratch, stepAt + row);
      FloatVector low = FloatVector.fromArray(F, scratch, lowAt + row);
      for (int i = 0; i < words; i++) {
        int to = weightsAt + 4 * i * STRIDE + row;
        IntVector four =
            FloatVector.fromArray(F, scratch, wordsAt + i * ROWS + row).reinterpretAsInts();
        IntVector q0 = four.lanewise(LSHL, 24).lanewise(ASHR, 24);
        IntVector q1 = four.lanewise(LSHL, 16).lanewise(ASHR, 24);
        IntVector q2 = four.lanewise(LSHL, 8).lanewise(ASHR, 24);
        IntVector q3 = four.lanewise(ASHR, 24);
        step.fma((FloatVector) q0.convertShape(I2F, F, 0), low).intoArray(scratch, to);
        step.fma((FloatVector) q1.convertShape(I2F, F, 0), low).intoArray(scratch, to + STRIDE);
        step.fma((FloatVector) q2.convertShape(I2F, F, 0), low).intoArray(scratch, to + 2 * STRIDE);
        step.fma((FloatVector) q3.convertShape(I2F, F, 0), low).intoArray(scratch, to + 3 * STRIDE);
      }
    }
  }
}
