package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of a quantised format, whose weights are {@code step · (q − zero) + low} with a step and
 * perhaps a low for each sub-block of columns.
 *
 * <p>A format brings its quants to unsigned bytes, four columns of a row in each word; what follows
 * is the same for all. Between the two they lie in the scratch, as the bits of floats.
 *
 * <p>A byte becomes a float by being put into the lowest bits of 2²³, or of 2¹⁵ if it lies eight
 * bits higher, and subtracting that power again with the zero; this is exact, and needs no shift
 * for each byte.
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
  static final int WORDS_AT = LOWS_AT + 4 * STRIDE;

  private final int subColumns;
  private final boolean lows;
  private final int zero;

  /**
   * @param subColumns columns with the same step, 16 or 32
   * @param lows whether sub-blocks have lows
   * @param zero the quant that stands for zero
   */
  QuantPanels(PanelLayout layout, int subColumns, boolean lows, int zero) {
    super(layout);
    this.subColumns = subColumns;
    this.lows = lows;
    this.zero = zero;
  }

  /**
   * Puts the steps, and the lows if there are any, of one panel's columns {@code [from, from +
   * width)} into the scratch.
   *
   * @param from a multiple of {@link #COLUMNS}
   * @param lane 0 for the near panel, its number of rows for the far one
   */
  abstract void steps(
      MemorySegment packed, long panelAt, int from, int width, float[] scratch, int lane);

  /** Puts the quants of the group from column {@code from} on into the scratch. */
  abstract void words(MemorySegment packed, long panelAt, int from, float[] scratch, int lane);

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
  void extend(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int cols,
      float[] x,
      int xAt,
      float[] scratch,
      int sumsAt) {
    for (int from = 0; from < cols; from += COLUMNS) {
      int width = Math.min(COLUMNS, cols - from);
      unpackSteps(packed, nearAt, farAt, from, width, scratch);
      for (int k = 0; k < width; k += GROUP) {
        unpackWords(packed, nearAt, farAt, from + k, scratch);
        for (int row = 0; row < STRIDE; row += Tiles.ROWS) {
          extendGroup(scratch, k, row, x, xAt + from + k, sumsAt + row);
        }
      }
    }
  }

  /** Makes the steps and lows ready for columns {@code [from, from + width)}. */
  final void unpackSteps(
      MemorySegment packed, long nearAt, long farAt, int from, int width, float[] scratch) {
    if (!lows) {
      // Adding −0 changes no bit, whatever the sign of a zero.
      Arrays.fill(scratch, LOWS_AT, LOWS_AT + STRIDE, -0f);
    }
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
    return lows ? LOWS_AT + k / subColumns * STRIDE : LOWS_AT;
  }

  /** One vector of rows. */
  private void decodeGroup(float[] scratch, int from, int row, int to) {
    FloatVector lower = FloatVector.broadcast(F, LOWER + zero);
    FloatVector upper = FloatVector.broadcast(F, UPPER + zero);
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

  /** Four vectors of rows by one token. */
  private void extendGroup(float[] scratch, int from, int row, float[] x, int xAt, int sumsAt) {
    FloatVector lower = FloatVector.broadcast(F, LOWER + zero);
    FloatVector upper = FloatVector.broadcast(F, UPPER + zero);
    FloatVector aSum = FloatVector.fromArray(F, scratch, sumsAt);
    FloatVector bSum = FloatVector.fromArray(F, scratch, sumsAt + L);
    FloatVector cSum = FloatVector.fromArray(F, scratch, sumsAt + 2 * L);
    FloatVector dSum = FloatVector.fromArray(F, scratch, sumsAt + 3 * L);
    for (int sub = 0; sub < GROUP; sub += subColumns) {
      int stepAt = stepAt(from + sub) + row;
      FloatVector aStep = FloatVector.fromArray(F, scratch, stepAt);
      FloatVector bStep = FloatVector.fromArray(F, scratch, stepAt + L);
      FloatVector cStep = FloatVector.fromArray(F, scratch, stepAt + 2 * L);
      FloatVector dStep = FloatVector.fromArray(F, scratch, stepAt + 3 * L);
      int lowAt = lowAt(from + sub) + row;
      FloatVector aLow = FloatVector.fromArray(F, scratch, lowAt);
      FloatVector bLow = FloatVector.fromArray(F, scratch, lowAt + L);
      FloatVector cLow = FloatVector.fromArray(F, scratch, lowAt + 2 * L);
      FloatVector dLow = FloatVector.fromArray(F, scratch, lowAt + 3 * L);
      for (int k = sub; k < sub + subColumns; k += WORD_COLUMNS) {
        int at = WORDS_AT + k / WORD_COLUMNS * STRIDE + row;
        IntVector a = FloatVector.fromArray(F, scratch, at).reinterpretAsInts();
        IntVector b = FloatVector.fromArray(F, scratch, at + L).reinterpretAsInts();
        IntVector c = FloatVector.fromArray(F, scratch, at + 2 * L).reinterpretAsInts();
        IntVector d = FloatVector.fromArray(F, scratch, at + 3 * L).reinterpretAsInts();
        FloatVector x0 = FloatVector.broadcast(F, x[xAt]);
        FloatVector x1 = FloatVector.broadcast(F, x[xAt + 1]);
        FloatVector x2 = FloatVector.broadcast(F, x[xAt + 2]);
        FloatVector x3 = FloatVector.broadcast(F, x[xAt + 3]);
        xAt += WORD_COLUMNS;
        FloatVector q = a.and(0xff).or(LOWER_BITS).reinterpretAsFloats().sub(lower);
        aSum = aStep.fma(q, aLow).fma(x0, aSum);
        q = a.and(0xff00).or(UPPER_BITS).reinterpretAsFloats().sub(upper);
        aSum = aStep.fma(q, aLow).fma(x1, aSum);
        a = a.lanewise(LSHR, 16);
        q = a.and(0xff).or(LOWER_BITS).reinterpretAsFloats().sub(lower);
        aSum = aStep.fma(q, aLow).fma(x2, aSum);
        q = a.and(0xff00).or(UPPER_BITS).reinterpretAsFloats().sub(upper);
        aSum = aStep.fma(q, aLow).fma(x3, aSum);
        q = b.and(0xff).or(LOWER_BITS).reinterpretAsFloats().sub(lower);
        bSum = bStep.fma(q, bLow).fma(x0, bSum);
        q = b.and(0xff00).or(UPPER_BITS).reinterpretAsFloats().sub(upper);
        bSum = bStep.fma(q, bLow).fma(x1, bSum);
        b = b.lanewise(LSHR, 16);
        q = b.and(0xff).or(LOWER_BITS).reinterpretAsFloats().sub(lower);
        bSum = bStep.fma(q, bLow).fma(x2, bSum);
        q = b.and(0xff00).or(UPPER_BITS).reinterpretAsFloats().sub(upper);
        bSum = bStep.fma(q, bLow).fma(x3, bSum);
        q = c.and(0xff).or(LOWER_BITS).reinterpretAsFloats().sub(lower);
        cSum = cStep.fma(q, cLow).fma(x0, cSum);
        q = c.and(0xff00).or(UPPER_BITS).reinterpretAsFloats().sub(upper);
        cSum = cStep.fma(q, cLow).fma(x1, cSum);
        c = c.lanewise(LSHR, 16);
        q = c.and(0xff).or(LOWER_BITS).reinterpretAsFloats().sub(lower);
        cSum = cStep.fma(q, cLow).fma(x2, cSum);
        q = c.and(0xff00).or(UPPER_BITS).reinterpretAsFloats().sub(upper);
        cSum = cStep.fma(q, cLow).fma(x3, cSum);
        q = d.and(0xff).or(LOWER_BITS).reinterpretAsFloats().sub(lower);
        dSum = dStep.fma(q, dLow).fma(x0, dSum);
        q = d.and(0xff00).or(UPPER_BITS).reinterpretAsFloats().sub(upper);
        dSum = dStep.fma(q, dLow).fma(x1, dSum);
        d = d.lanewise(LSHR, 16);
        q = d.and(0xff).or(LOWER_BITS).reinterpretAsFloats().sub(lower);
        dSum = dStep.fma(q, dLow).fma(x2, dSum);
        q = d.and(0xff00).or(UPPER_BITS).reinterpretAsFloats().sub(upper);
        dSum = dStep.fma(q, dLow).fma(x3, dSum);
      }
    }
    aSum.intoArray(scratch, sumsAt);
    bSum.intoArray(scratch, sumsAt + L);
    cSum.intoArray(scratch, sumsAt + 2 * L);
    dSum.intoArray(scratch, sumsAt + 3 * L);
  }
}
