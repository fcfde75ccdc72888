package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.math.Lanes;
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
