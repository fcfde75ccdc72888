package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of a quantised format whose stored words become signed bytes by a shift and a mask; so one
 * token's sums are extended without a detour through the scratch, and the loads run well ahead of
 * the arithmetic.
 */
abstract class ShiftPanels extends QuantPanels {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int L = F.length();
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int STRIDE = Tiles.STRIDE;
  private static final int WORD_BYTES = 4 * ROWS;

  private final int mask;

  /**
   * @param mask what remains of a shifted word
   */
  ShiftPanels(PanelLayout layout, boolean lows, int mask) {
    super(layout, GROUP, lows);
    this.mask = mask;
  }

  /** Where the words of the group from this column on begin in a panel. */
  abstract long wordsAt(int col);

  /** By how much the words of this group are shifted to the right. */
  abstract int shift(int col);

  @Override
  final void words(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    long at = panelAt + wordsAt(from);
    int shift = shift(from);
    for (int i = 0; i < GROUP / WORD_COLUMNS; i++) {
      for (int row = 0; row < ROWS; row += L) {
        long wordAt = at + (long) i * WORD_BYTES + 4L * row;
        IntVector.fromMemorySegment(I, packed, wordAt, ByteOrder.LITTLE_ENDIAN)
            .lanewise(LSHR, shift)
            .and(mask)
            .reinterpretAsFloats()
            .intoArray(scratch, WORDS_AT + i * STRIDE + lane + row);
      }
    }
  }

  @Override
  final void extend(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int from,
      int width,
      float[] x,
      int xAt,
      float[] scratch,
      int sumsAt) {
    for (int k = 0; k < width; k += GROUP) {
      unpackSteps(packed, nearAt, farAt, from, k, scratch);
      long near = nearAt + wordsAt(from + k);
      long far = farAt + wordsAt(from + k);
      for (int row = 0; row < STRIDE; row += Tiles.ROWS) {
        extendGroup(
            packed,
            rowAt(near, far, row),
            rowAt(near, far, row + L),
            rowAt(near, far, row + 2 * L),
            rowAt(near, far, row + 3 * L),
            shift(from + k),
            scratch,
            stepAt(k) + row,
            lowAt(k) + row,
            x,
            xAt + k,
            sumsAt + row);
      }
    }
  }

  private static long rowAt(long near, long far, int row) {
    return (row < ROWS ? near : far) + 4L * (row % ROWS);
  }

  /** Four vectors of rows by one token. */
  private void extendGroup(
      MemorySegment packed,
      long aAt,
      long bAt,
      long cAt,
      long dAt,
      int shift,
      float[] scratch,
      int stepAt,
      int lowAt,
      float[] x,
      int xAt,
      int sumsAt) {
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
    for (int i = 0; i < GROUP / WORD_COLUMNS; i++) {
      long at = (long) i * WORD_BYTES;
      int k = xAt + WORD_COLUMNS * i;
      IntVector a =
          IntVector.fromMemorySegment(I, packed, aAt + at, ByteOrder.LITTLE_ENDIAN)
              .lanewise(LSHR, shift)
              .and(mask);
      IntVector b =
          IntVector.fromMemorySegment(I, packed, bAt + at, ByteOrder.LITTLE_ENDIAN)
              .lanewise(LSHR, shift)
              .and(mask);
      IntVector c =
          IntVector.fromMemorySegment(I, packed, cAt + at, ByteOrder.LITTLE_ENDIAN)
              .lanewise(LSHR, shift)
              .and(mask);
      IntVector d =
          IntVector.fromMemorySegment(I, packed, dAt + at, ByteOrder.LITTLE_ENDIAN)
              .lanewise(LSHR, shift)
              .and(mask);
      FloatVector x0 = FloatVector.broadcast(F, x[k]);
      FloatVector a0 =
          (FloatVector) a.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector b0 =
          (FloatVector) b.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector c0 =
          (FloatVector) c.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector d0 =
          (FloatVector) d.lanewise(LSHL, 24).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      aSum = aStep.fma(a0, aLow).fma(x0, aSum);
      bSum = bStep.fma(b0, bLow).fma(x0, bSum);
      cSum = cStep.fma(c0, cLow).fma(x0, cSum);
      dSum = dStep.fma(d0, dLow).fma(x0, dSum);
      FloatVector x1 = FloatVector.broadcast(F, x[k + 1]);
      FloatVector a1 =
          (FloatVector) a.lanewise(LSHL, 16).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector b1 =
          (FloatVector) b.lanewise(LSHL, 16).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector c1 =
          (FloatVector) c.lanewise(LSHL, 16).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector d1 =
          (FloatVector) d.lanewise(LSHL, 16).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      aSum = aStep.fma(a1, aLow).fma(x1, aSum);
      bSum = bStep.fma(b1, bLow).fma(x1, bSum);
      cSum = cStep.fma(c1, cLow).fma(x1, cSum);
      dSum = dStep.fma(d1, dLow).fma(x1, dSum);
      FloatVector x2 = FloatVector.broadcast(F, x[k + 2]);
      FloatVector a2 = (FloatVector) a.lanewise(LSHL, 8).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector b2 = (FloatVector) b.lanewise(LSHL, 8).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector c2 = (FloatVector) c.lanewise(LSHL, 8).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector d2 = (FloatVector) d.lanewise(LSHL, 8).lanewise(ASHR, 24).convertShape(I2F, F, 0);
      aSum = aStep.fma(a2, aLow).fma(x2, aSum);
      bSum = bStep.fma(b2, bLow).fma(x2, bSum);
      cSum = cStep.fma(c2, cLow).fma(x2, cSum);
      dSum = dStep.fma(d2, dLow).fma(x2, dSum);
      FloatVector x3 = FloatVector.broadcast(F, x[k + 3]);
      FloatVector a3 = (FloatVector) a.lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector b3 = (FloatVector) b.lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector c3 = (FloatVector) c.lanewise(ASHR, 24).convertShape(I2F, F, 0);
      FloatVector d3 = (FloatVector) d.lanewise(ASHR, 24).convertShape(I2F, F, 0);
      aSum = aStep.fma(a3, aLow).fma(x3, aSum);
      bSum = bStep.fma(b3, bLow).fma(x3, bSum);
      cSum = cStep.fma(c3, cLow).fma(x3, cSum);
      dSum = dStep.fma(d3, dLow).fma(x3, dSum);
    }
    aSum.intoArray(scratch, sumsAt);
    bSum.intoArray(scratch, sumsAt + L);
    cSum.intoArray(scratch, sumsAt + 2 * L);
    dSum.intoArray(scratch, sumsAt + 3 * L);
  }
}
