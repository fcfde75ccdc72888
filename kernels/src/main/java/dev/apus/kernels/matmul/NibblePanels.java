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
 * Panels of a quantised format whose stored words hold nibbles: a run of columns in the lower ones,
 * the next run in the upper ones.
 */
abstract class NibblePanels extends QuantPanels {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int L = F.length();
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int STRIDE = Tiles.STRIDE;
  private static final int WORD_BYTES = 4 * ROWS;

  private final int words;
  private final int pairBytes;

  /**
   * @param unit columns whose grids are decoded together
   * @param words of a run of columns
   * @param pairBytes from the words of one pair of runs to those of the next
   */
  NibblePanels(PanelLayout layout, int unit, int words, int pairBytes) {
    super(layout, unit, GROUP);
    this.words = words;
    this.pairBytes = pairBytes;
  }

  /** Where the words of the pair of runs that begins with this column lie in a panel. */
  abstract long wordsAt(int col);

  @Override
  final void words(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    int runColumns = words * WORD_COLUMNS;
    for (int col = from; col < from + GROUP; col += WORD_COLUMNS) {
      int within = col % (2 * runColumns);
      int shift = within < runColumns ? 0 : 4;
      long at =
          panelAt
              + wordsAt(col - within)
              + (long) (within % runColumns / WORD_COLUMNS) * WORD_BYTES;
      int to = WORDS_AT + (col - from) / WORD_COLUMNS * STRIDE + lane;
      for (int row = 0; row < ROWS; row += L) {
        IntVector.fromMemorySegment(I, packed, at + 4L * row, ByteOrder.LITTLE_ENDIAN)
            .lanewise(LSHR, shift)
            .and(0x0f0f0f0f)
            .reinterpretAsFloats()
            .intoArray(scratch, to + row);
      }
    }
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
    FloatVector aSum = FloatVector.fromArray(F, scratch, sumsAt);
    FloatVector bSum = FloatVector.fromArray(F, scratch, sumsAt + L);
    FloatVector cSum = FloatVector.fromArray(F, scratch, sumsAt + 2 * L);
    FloatVector dSum = FloatVector.fromArray(F, scratch, sumsAt + 3 * L);
    int runColumns = words * WORD_COLUMNS;
    for (int run = 0; run * runColumns < width; run++) {
      int stepAt = stepAt(run * runColumns) + row;
      FloatVector aStep = FloatVector.fromArray(F, scratch, stepAt);
      FloatVector bStep = FloatVector.fromArray(F, scratch, stepAt + L);
      FloatVector cStep = FloatVector.fromArray(F, scratch, stepAt + 2 * L);
      FloatVector dStep = FloatVector.fromArray(F, scratch, stepAt + 3 * L);
      int lowAt = lowAt(run * runColumns) + row;
      FloatVector aLow = FloatVector.fromArray(F, scratch, lowAt);
      FloatVector bLow = FloatVector.fromArray(F, scratch, lowAt + L);
      FloatVector cLow = FloatVector.fromArray(F, scratch, lowAt + 2 * L);
      FloatVector dLow = FloatVector.fromArray(F, scratch, lowAt + 3 * L);
      // A nibble is converted where it lies in the word; its step makes up for the power of two.
      int shift = run % 2 * 4;
      IntVector lowerMask = IntVector.broadcast(I, 0xf << shift);
      IntVector upperMask = IntVector.broadcast(I, 0xf00 << shift);
      aStep = aStep.mul(1f / (1 << shift));
      FloatVector aUpper = aStep.mul(0x1p-8f);
      bStep = bStep.mul(1f / (1 << shift));
      FloatVector bUpper = bStep.mul(0x1p-8f);
      cStep = cStep.mul(1f / (1 << shift));
      FloatVector cUpper = cStep.mul(0x1p-8f);
      dStep = dStep.mul(1f / (1 << shift));
      FloatVector dUpper = dStep.mul(0x1p-8f);
      long begin = wordsAt(from) + (long) (run / 2) * pairBytes;
      long end = begin + (long) words * WORD_BYTES;
      for (long at = begin; at < end; at += WORD_BYTES) {
        FloatVector x0 = FloatVector.broadcast(F, x[xAt]);
        FloatVector x1 = FloatVector.broadcast(F, x[xAt + 1]);
        FloatVector x2 = FloatVector.broadcast(F, x[xAt + 2]);
        FloatVector x3 = FloatVector.broadcast(F, x[xAt + 3]);
        xAt += WORD_COLUMNS;
        IntVector word = IntVector.fromMemorySegment(I, packed, aAt + at, ByteOrder.LITTLE_ENDIAN);
        FloatVector q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        aSum = aStep.fma(q, aLow).fma(x0, aSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        aSum = aUpper.fma(q, aLow).fma(x1, aSum);
        word = word.lanewise(LSHR, 16);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        aSum = aStep.fma(q, aLow).fma(x2, aSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        aSum = aUpper.fma(q, aLow).fma(x3, aSum);
        word = IntVector.fromMemorySegment(I, packed, bAt + at, ByteOrder.LITTLE_ENDIAN);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        bSum = bStep.fma(q, bLow).fma(x0, bSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        bSum = bUpper.fma(q, bLow).fma(x1, bSum);
        word = word.lanewise(LSHR, 16);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        bSum = bStep.fma(q, bLow).fma(x2, bSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        bSum = bUpper.fma(q, bLow).fma(x3, bSum);
        word = IntVector.fromMemorySegment(I, packed, cAt + at, ByteOrder.LITTLE_ENDIAN);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        cSum = cStep.fma(q, cLow).fma(x0, cSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        cSum = cUpper.fma(q, cLow).fma(x1, cSum);
        word = word.lanewise(LSHR, 16);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        cSum = cStep.fma(q, cLow).fma(x2, cSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        cSum = cUpper.fma(q, cLow).fma(x3, cSum);
        word = IntVector.fromMemorySegment(I, packed, dAt + at, ByteOrder.LITTLE_ENDIAN);
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
