package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of a quantised format, whose weights are {@code step · q + low} with a step and a low for
 * each sub-block of columns, and unsigned q. Where a format has a zero instead of lows, {@code
 * −step · zero} is one, and exact.
 *
 * <p>One token's sums are extended straight from the stored words, without a detour through the
 * scratch, so that loads run well ahead of the arithmetic. For many tokens a format brings its
 * quants to bytes, four columns of a row in each word; what follows is the same for all. Between
 * the two they lie in the scratch, as the bits of floats.
 *
 * <p>There a byte becomes a float by being put into the lowest bits of 2²³, or of 2¹⁵ if it lies
 * eight bits higher, and subtracting that power again; this is exact, and needs no shift for each
 * byte.
 */
abstract class QuantPanels extends PanelDecoder {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final int L = F.length();
  private static final int STRIDE = Tiles.STRIDE;

  /** Columns of a row in one word. */
  static final int WORD_COLUMNS = 4;

  /** The columns that a format unpacks at a time. */
  static final int GROUP = 32;

  /** Floats whose lowest bits a word's lower byte, and its next one, are put into. */
  private static final float LOWER = 0x1p23f;

  private static final float UPPER = 0x1p15f;
  private static final int LOWER_BITS = Float.floatToRawIntBits(LOWER);
  private static final int UPPER_BITS = Float.floatToRawIntBits(UPPER);

  /** Scales as stored, two for each row of a panel. */
  static final int SCALES_AT = 0;

  /** Steps of the sub-blocks within {@link #COLUMNS}: {@code STRIDE} rows each. */
  static final int STEPS_AT = 2 * Matmul.PANEL_ROWS;

  /** Lows of the sub-blocks. */
  static final int LOWS_AT = STEPS_AT + 8 * STRIDE;

  /** Words of the columns in a group, up to {@link #OWN_FLOATS}. */
  static final int WORDS_AT = LOWS_AT + 8 * STRIDE;

  private final int unit;

  /** Columns with the same step. */
  final int subColumns;

  /**
   * @param unit columns whose grids are decoded together for one token
   * @param subColumns columns with the same step, 16 or 32
   */
  QuantPanels(PanelLayout layout, int unit, int subColumns) {
    super(layout);
    this.unit = unit;
    this.subColumns = subColumns;
  }

  /**
   * Puts the steps and the lows of one panel's columns {@code [from, from + width)} into the
   * scratch.
   *
   * @param from a multiple of {@link #COLUMNS}
   * @param lane 0 for the near panel, its number of rows for the far one
   */
  abstract void steps(
      MemorySegment packed, long panelAt, int from, int width, float[] scratch, int lane);

  /** Puts the quants of the group from column {@code from} on into the scratch. */
  abstract void words(MemorySegment packed, long panelAt, int from, float[] scratch, int lane);

  /**
   * Four vectors of rows by one token: extends their sums by the columns {@code [from, from +
   * width)}, whose steps and lows are ready.
   *
   * @param aAt where the first vector's rows begin among those of a word at the panel's beginning
   * @param row the first of the rows
   */
  abstract void tile(
      MemorySegment packed,
      long aAt,
      long bAt,
      long cAt,
      long dAt,
      int from,
      int width,
      float[] scratch,
      int row,
      float[] x,
      int xAt,
      int sumsAt);

  @Override
  final void decode(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int from,
      int width,
      float[] scratch,
      int weightsAt) {
    unpackSteps(packed, nearAt, farAt, from, width, scratch);
    for (int k = 0; k < width; k += GROUP) {
      unpackWords(packed, nearAt, farAt, from + k, scratch);
      for (int row = 0; row < STRIDE; row += L) {
        decodeGroup(scratch, k, row, weightsAt + k * STRIDE + row);
      }
    }
  }

  @Override
  final void extend(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int cols,
      float[] x,
      int xAt,
      float[] scratch,
      int sumsAt) {
    for (int from = 0; from < cols; from += unit) {
      int width = Math.min(unit, cols - from);
      // As they come by: to read grids ahead would keep processors from seeing the stream.
      unpackSteps(packed, nearAt, farAt, from, width, scratch);
      for (int row = 0; row < STRIDE; row += Tiles.ROWS) {
        tile(
            packed,
            rowAt(nearAt, farAt, row, Integer.BYTES),
            rowAt(nearAt, farAt, row + L, Integer.BYTES),
            rowAt(nearAt, farAt, row + 2 * L, Integer.BYTES),
            rowAt(nearAt, farAt, row + 3 * L, Integer.BYTES),
            from,
            width,
            scratch,
            row,
            x,
            xAt + from,
            sumsAt + row);
      }
    }
  }

  /** Makes the steps and lows ready for columns {@code [from, from + width)}. */
  final void unpackSteps(
      MemorySegment packed, long nearAt, long farAt, int from, int width, float[] scratch) {
    steps(packed, nearAt, from, width, scratch, 0);
    if (farAt != nearAt) {
      steps(packed, farAt, from, width, scratch, Matmul.PANEL_ROWS);
    }
  }

  private void unpackWords(
      MemorySegment packed, long nearAt, long farAt, int from, float[] scratch) {
    words(packed, nearAt, from, scratch, 0);
    if (farAt != nearAt) {
      words(packed, farAt, from, scratch, Matmul.PANEL_ROWS);
    }
  }

  /** Where the step lies that holds for column {@code k} of those made ready. */
  final int stepAt(int k) {
    return STEPS_AT + k / subColumns * STRIDE;
  }

  final int lowAt(int k) {
    return LOWS_AT + k / subColumns * STRIDE;
  }

  /** One vector of rows. */
  private void decodeGroup(float[] scratch, int from, int row, int to) {
    FloatVector lower = FloatVector.broadcast(F, LOWER);
    FloatVector upper = FloatVector.broadcast(F, UPPER);
    for (int k = 0; k < GROUP; k += WORD_COLUMNS) {
      FloatVector step = FloatVector.fromArray(F, scratch, stepAt(from + k) + row);
      FloatVector low = FloatVector.fromArray(F, scratch, lowAt(from + k) + row);
      int wordAt = WORDS_AT + k / WORD_COLUMNS * STRIDE + row;
      IntVector four = FloatVector.fromArray(F, scratch, wordAt).reinterpretAsInts();
      for (int pair = 0; pair < 2; pair++) {
        step.fma(four.and(0xff).or(LOWER_BITS).reinterpretAsFloats().sub(lower), low)
            .intoArray(scratch, to);
        step.fma(four.and(0xff00).or(UPPER_BITS).reinterpretAsFloats().sub(upper), low)
            .intoArray(scratch, to + STRIDE);
        four = four.lanewise(LSHR, 16);
        to += 2 * STRIDE;
      }
    }
  }
}
