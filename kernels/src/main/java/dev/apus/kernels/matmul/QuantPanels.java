package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of a quantised format, whose weights are {@code step · q + low} with a step and perhaps a
 * low for each sub-block of columns.
 *
 * <p>A format brings its quants to signed bytes, four columns of a row in each word; what follows
 * is the same for all. Between the two they lie in the scratch, as the bits of floats.
 */
abstract class QuantPanels extends PanelDecoder {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final int L = F.length();
  private static final int STRIDE = Tiles.STRIDE;

  /** Columns of a row in one word. */
  static final int WORD_COLUMNS = 4;

  /** The columns that a format unpacks at a time. */
  static final int GROUP = 32;

  /** Scales as stored, two for each row of a panel. */
  static final int SCALES_AT = 0;

  /** Steps of the sub-blocks within {@link #COLUMNS}: {@code STRIDE} rows each. */
  static final int STEPS_AT = 2 * Matmul.PANEL_ROWS;

  /** Lows of the sub-blocks. */
  static final int LOWS_AT = STEPS_AT + 8 * STRIDE;

  /** Words of the columns in a group. */
  static final int WORDS_AT = LOWS_AT + 4 * STRIDE;

  /** Floats from the start of the scratch that all of these take. */
  static final int OWN_FLOATS = WORDS_AT + GROUP / WORD_COLUMNS * STRIDE;

  private final int stepColumns;
  private final int subColumns;
  private final boolean lows;

  /**
   * @param subColumns columns with the same step, 16 or 32
   * @param lows whether sub-blocks have lows
   */
  QuantPanels(PanelLayout layout, int subColumns, boolean lows) {
    super(layout);
    this.stepColumns = Math.min(layout.format().blockLength(), COLUMNS);
    this.subColumns = subColumns;
    this.lows = lows;
  }

  /**
   * Puts the steps, and the lows if there are any, of one panel's columns from {@code from} on into
   * the scratch: those of a block, or of as much of it as is decoded at a time.
   *
   * @param lane 0 for the near panel, its number of rows for the far one
   */
  abstract void steps(MemorySegment packed, long panelAt, int from, float[] scratch, int lane);

  /** Puts the quants of the group from column {@code from} on into the scratch. */
  abstract void words(MemorySegment packed, long panelAt, int from, float[] scratch, int lane);

  @Override
  final void decode(
      MemorySegment packed, long nearAt, long farAt, int from, int width, float[] scratch) {
    for (int k = 0; k < width; k += subColumns) {
      unpackSteps(packed, nearAt, farAt, from, k, scratch);
      unpackWords(packed, nearAt, farAt, from, k, scratch);
      for (int row = 0; row < STRIDE; row += L) {
        decodeSub(scratch, unpackedAt(k) + row, stepAt(k) + row, lowAt(k) + row, k * STRIDE + row);
      }
    }
  }

  @Override
  void extend(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int from,
      int width,
      float[] x,
      int xAt,
      float[] scratch,
      int sumsAt) {
    for (int k = 0; k < width; k += subColumns) {
      unpackSteps(packed, nearAt, farAt, from, k, scratch);
      unpackWords(packed, nearAt, farAt, from, k, scratch);
      for (int row = 0; row < STRIDE; row += Tiles.ROWS) {
        extendSub(
            scratch,
            unpackedAt(k) + row,
            stepAt(k) + row,
            lowAt(k) + row,
            x,
            xAt + k,
            sumsAt + row);
      }
    }
  }

  /** Makes the steps and lows ready for the columns from {@code from + k} on. */
  final void unpackSteps(
      MemorySegment packed, long nearAt, long farAt, int from, int k, float[] scratch) {
    if (k == 0 && !lows) {
      // Adding −0 changes no bit, whatever the sign of a zero.
      Arrays.fill(scratch, LOWS_AT, LOWS_AT + STRIDE, -0f);
    }
    if (k % stepColumns == 0) {
      steps(packed, nearAt, from + k, scratch, 0);
      if (farAt != nearAt) {
        steps(packed, farAt, from + k, scratch, Matmul.PANEL_ROWS);
      }
    }
  }

  private void unpackWords(
      MemorySegment packed, long nearAt, long farAt, int from, int k, float[] scratch) {
    if (k % GROUP == 0) {
      words(packed, nearAt, from + k, scratch, 0);
      if (farAt != nearAt) {
        words(packed, farAt, from + k, scratch, Matmul.PANEL_ROWS);
      }
    }
  }

  private static int unpackedAt(int k) {
    return WORDS_AT + k % GROUP / WORD_COLUMNS * STRIDE;
  }

  final int stepAt(int k) {
    return STEPS_AT + k % stepColumns / subColumns * STRIDE;
  }

  final int lowAt(int k) {
    return lows ? LOWS_AT + k % stepColumns / subColumns * STRIDE : LOWS_AT;
  }

  /** One vector of rows. */
  private void decodeSub(float[] scratch, int wordsAt, int stepAt, int lowAt, int weightAt) {
    FloatVector step = FloatVector.fromArray(F, scratch, stepAt);
    FloatVector low = FloatVector.fromArray(F, scratch, lowAt);
    for (int i = 0; i < subColumns / WORD_COLUMNS; i++) {
      int to = WEIGHTS_AT + weightAt + WORD_COLUMNS * i * STRIDE;
      IntVector four = FloatVector.fromArray(F, scratch, wordsAt + i * STRIDE).reinterpretAsInts();
      for (int left = 24; left >= 0; left -= 8) {
        FloatVector q =
            (FloatVector) four.lanewise(LSHL, left).lanewise(ASHR, 24).convertShape(I2F, F, 0);
        step.fma(q, low).intoArray(scratch, to);
        to += STRIDE;
      }
    }
  }

  /** Four vectors of rows by one token. */
  private void extendSub(
      float[] scratch, int wordsAt, int stepAt, int lowAt, float[] x, int xAt, int sumsAt) {
    FloatVector aStep = FloatVector.fromArray(F, scratch, stepAt);
    FloatVector bStep = FloatVector.fromArray(F, scratch, stepAt + L);
    FloatVector cStep = FloatVector.fromArray(F, scratch, stepAt + 2 * L);
    FloatVector dStep = FloatVector.fromArray(F, scratch, stepAt + 3 * L);
    FloatVector aLow = FloatVector.fromArray(F, scratch, lowAt);
    FloatVector bLow = FloatVector.fromArray(F, scratch, lowAt + L);
    FloatVector cLow = FloatVector.fromArray(F, scratch, lowAt + 2 * L);
    FloatVector dLow = FloatVector.fromArray(F, scratch, lowAt + 3 * L);
    FloatVector aSum = FloatVector.fromArray(F, scratch, sumsAt);
    FloatVector bSum = FloatVector.fromArray(F, scratch, sumsAt + L);
    FloatVector cSum = FloatVector.fromArray(F, scratch, sumsAt + 2 * L);
    FloatVector dSum = FloatVector.fromArray(F, scratch, sumsAt + 3 * L);
    for (int i = 0; i < subColumns / WORD_COLUMNS; i++) {
      int at = wordsAt + i * STRIDE;
      int k = xAt + WORD_COLUMNS * i;
      IntVector a = FloatVector.fromArray(F, scratch, at).reinterpretAsInts();
      IntVector b = FloatVector.fromArray(F, scratch, at + L).reinterpretAsInts();
      IntVector c = FloatVector.fromArray(F, scratch, at + 2 * L).reinterpretAsInts();
      IntVector d = FloatVector.fromArray(F, scratch, at + 3 * L).reinterpretAsInts();
      for (int left = 24; left >= 0; left -= 8) {
        FloatVector input = FloatVector.broadcast(F, x[k++]);
        FloatVector aQ =
            (FloatVector) a.lanewise(LSHL, left).lanewise(ASHR, 24).convertShape(I2F, F, 0);
        FloatVector bQ =
            (FloatVector) b.lanewise(LSHL, left).lanewise(ASHR, 24).convertShape(I2F, F, 0);
        FloatVector cQ =
            (FloatVector) c.lanewise(LSHL, left).lanewise(ASHR, 24).convertShape(I2F, F, 0);
        FloatVector dQ =
            (FloatVector) d.lanewise(LSHL, left).lanewise(ASHR, 24).convertShape(I2F, F, 0);
        aSum = aStep.fma(aQ, aLow).fma(input, aSum);
        bSum = bStep.fma(bQ, bLow).fma(input, bSum);
        cSum = cStep.fma(cQ, cLow).fma(input, cSum);
        dSum = dStep.fma(dQ, dLow).fma(input, dSum);
      }
    }
    aSum.intoArray(scratch, sumsAt);
    bSum.intoArray(scratch, sumsAt + L);
    cSum.intoArray(scratch, sumsAt + 2 * L);
    dSum.intoArray(scratch, sumsAt + 3 * L);
  }
}
