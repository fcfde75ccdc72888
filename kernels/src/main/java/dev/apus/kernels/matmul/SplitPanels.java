package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.ROL;
import static jdk.incubator.vector.VectorOperators.XOR;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of a quantised format whose stored words hold nibbles, the lower four bits of quants, or
 * the upper bits of more columns. Both are put together in registers, turned so that each byte has
 * a quant; what else the turned word has is masked away with the other bytes.
 */
abstract class SplitPanels extends QuantPanels {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int L = F.length();
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int STRIDE = Tiles.STRIDE;
  private static final int NIBBLES = 0x0f0f0f0f;

  static final int WORD_BYTES = 4 * Matmul.PANEL_ROWS;
  static final int RUN_BYTES = GROUP / WORD_COLUMNS * WORD_BYTES;

  private final int bits;

  /**
   * @param subColumns as {@link QuantPanels} has them
   * @param bits of a quant beyond four
   */
  SplitPanels(PanelLayout layout, int subColumns, int bits) {
    super(layout, COLUMNS, subColumns);
    this.bits = bits;
  }

  /** Where the words with the lower bits of the columns from this one on lie in a panel. */
  abstract long lowerAt(int col);

  /** Where the words with their upper bits lie. */
  abstract long upperAt(int col);

  /**
   * By how much a word has to be turned left to bring these bits above the lower four of a byte.
   */
  abstract int turn(int col);

  /** How far up in each byte the lower bits are: two runs of columns share words. */
  private static int shift(int col) {
    return col / GROUP % 2 * 4;
  }

  @Override
  final void tile(
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
      int sumsAt) {
    for (int k = 0; k < width; k += GROUP) {
      int col = from + k;
      long lower = lowerAt(col);
      long upper = upperAt(col) - lower;
      tile(
          packed,
          aAt + lower,
          bAt + lower,
          cAt + lower,
          dAt + lower,
          upper,
          shift(col),
          turn(col),
          scratch,
          stepAt(k) + row,
          x,
          xAt + k,
          sumsAt);
    }
  }

  @Override
  final void words(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    long lower = lowerAt(from);
    long upper = upperAt(from) - lower;
    words(packed, panelAt + lower, upper, shift(from), turn(from), scratch, WORDS_AT + lane);
  }

  private void words(
      MemorySegment packed,
      long lowerAt,
      long upperAt,
      int shift,
      int turn,
      float[] scratch,
      int to) {
    int mask = ((16 << bits) - 1) * 0x01010101;
    for (int i = 0; i < GROUP / WORD_COLUMNS; i++) {
      for (int row = 0; row < ROWS; row += L) {
        long at = lowerAt + 4L * (i * ROWS + row);
        IntVector upper =
            IntVector.fromMemorySegment(I, packed, at + upperAt, ByteOrder.LITTLE_ENDIAN)
                .lanewise(ROL, turn);
        IntVector.fromMemorySegment(I, packed, at, ByteOrder.LITTLE_ENDIAN)
            .lanewise(LSHR, shift)
            .lanewise(XOR, upper)
            .and(NIBBLES)
            .lanewise(XOR, upper)
            .and(mask)
            .reinterpretAsFloats()
            .intoArray(scratch, to + i * STRIDE + row);
      }
    }
  }

  /** Four vectors of rows by one token. */
  private void tile(
      MemorySegment packed,
      long aAt,
      long bAt,
      long cAt,
      long dAt,
      long upperAt,
      int shift,
      int turn,
      float[] scratch,
      int stepAt,
      float[] x,
      int xAt,
      int sumsAt) {
    IntVector lowerMask = IntVector.broadcast(I, (16 << bits) - 1);
    IntVector upperMask = IntVector.broadcast(I, (16 << bits) - 1 << 8);
    FloatVector aSum = FloatVector.fromArray(F, scratch, sumsAt);
    FloatVector bSum = FloatVector.fromArray(F, scratch, sumsAt + L);
    FloatVector cSum = FloatVector.fromArray(F, scratch, sumsAt + 2 * L);
    FloatVector dSum = FloatVector.fromArray(F, scratch, sumsAt + 3 * L);
    for (long from = 0; from < RUN_BYTES; from += subColumns / WORD_COLUMNS * WORD_BYTES) {
      FloatVector aStep = FloatVector.fromArray(F, scratch, stepAt);
      FloatVector aLow = FloatVector.fromArray(F, scratch, stepAt + LOWS_AT - STEPS_AT);
      FloatVector aUpper = aStep.mul(0x1p-8f);
      FloatVector bStep = FloatVector.fromArray(F, scratch, stepAt + L);
      FloatVector bLow = FloatVector.fromArray(F, scratch, stepAt + LOWS_AT - STEPS_AT + L);
      FloatVector bUpper = bStep.mul(0x1p-8f);
      FloatVector cStep = FloatVector.fromArray(F, scratch, stepAt + 2 * L);
      FloatVector cLow = FloatVector.fromArray(F, scratch, stepAt + LOWS_AT - STEPS_AT + 2 * L);
      FloatVector cUpper = cStep.mul(0x1p-8f);
      FloatVector dStep = FloatVector.fromArray(F, scratch, stepAt + 3 * L);
      FloatVector dLow = FloatVector.fromArray(F, scratch, stepAt + LOWS_AT - STEPS_AT + 3 * L);
      FloatVector dUpper = dStep.mul(0x1p-8f);
      stepAt += STRIDE;
      long end = from + subColumns / WORD_COLUMNS * WORD_BYTES;
      for (long at = from; at < end; at += WORD_BYTES) {
        FloatVector x0 = FloatVector.broadcast(F, x[xAt]);
        FloatVector x1 = FloatVector.broadcast(F, x[xAt + 1]);
        FloatVector x2 = FloatVector.broadcast(F, x[xAt + 2]);
        FloatVector x3 = FloatVector.broadcast(F, x[xAt + 3]);
        xAt += WORD_COLUMNS;
        IntVector upper;
        IntVector word;
        FloatVector q;
        upper =
            IntVector.fromMemorySegment(I, packed, aAt + upperAt + at, ByteOrder.LITTLE_ENDIAN)
                .lanewise(ROL, turn);
        word =
            IntVector.fromMemorySegment(I, packed, aAt + at, ByteOrder.LITTLE_ENDIAN)
                .lanewise(LSHR, shift)
                .lanewise(XOR, upper)
                .and(NIBBLES)
                .lanewise(XOR, upper);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        aSum = aStep.fma(q, aLow).fma(x0, aSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        aSum = aUpper.fma(q, aLow).fma(x1, aSum);
        word = word.lanewise(LSHR, 16);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        aSum = aStep.fma(q, aLow).fma(x2, aSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        aSum = aUpper.fma(q, aLow).fma(x3, aSum);
        upper =
            IntVector.fromMemorySegment(I, packed, bAt + upperAt + at, ByteOrder.LITTLE_ENDIAN)
                .lanewise(ROL, turn);
        word =
            IntVector.fromMemorySegment(I, packed, bAt + at, ByteOrder.LITTLE_ENDIAN)
                .lanewise(LSHR, shift)
                .lanewise(XOR, upper)
                .and(NIBBLES)
                .lanewise(XOR, upper);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        bSum = bStep.fma(q, bLow).fma(x0, bSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        bSum = bUpper.fma(q, bLow).fma(x1, bSum);
        word = word.lanewise(LSHR, 16);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        bSum = bStep.fma(q, bLow).fma(x2, bSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        bSum = bUpper.fma(q, bLow).fma(x3, bSum);
        upper =
            IntVector.fromMemorySegment(I, packed, cAt + upperAt + at, ByteOrder.LITTLE_ENDIAN)
                .lanewise(ROL, turn);
        word =
            IntVector.fromMemorySegment(I, packed, cAt + at, ByteOrder.LITTLE_ENDIAN)
                .lanewise(LSHR, shift)
                .lanewise(XOR, upper)
                .and(NIBBLES)
                .lanewise(XOR, upper);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        cSum = cStep.fma(q, cLow).fma(x0, cSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        cSum = cUpper.fma(q, cLow).fma(x1, cSum);
        word = word.lanewise(LSHR, 16);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        cSum = cStep.fma(q, cLow).fma(x2, cSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        cSum = cUpper.fma(q, cLow).fma(x3, cSum);
        upper =
            IntVector.fromMemorySegment(I, packed, dAt + upperAt + at, ByteOrder.LITTLE_ENDIAN)
                .lanewise(ROL, turn);
        word =
            IntVector.fromMemorySegment(I, packed, dAt + at, ByteOrder.LITTLE_ENDIAN)
                .lanewise(LSHR, shift)
                .lanewise(XOR, upper)
                .and(NIBBLES)
                .lanewise(XOR, upper);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        dSum = dStep.fma(q, dLow).fma(x0, dSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        dSum = dUpper.fma(q, dLow).fma(x1, dSum);
        word = word.lanewise(LSHR, 16);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        dSum = dStep.fma(q, dLow).fma(x2, dSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        dSum = dUpper.fma(q, dLow).fma(x3, dSum);
      }
    }
    aSum.intoArray(scratch, sumsAt);
    bSum.intoArray(scratch, sumsAt + L);
    cSum.intoArray(scratch, sumsAt + 2 * L);
    dSum.intoArray(scratch, sumsAt + 3 * L);
  }
}
