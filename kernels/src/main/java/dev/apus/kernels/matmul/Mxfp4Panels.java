package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;
import static jdk.incubator.vector.VectorOperators.LT;
import static jdk.incubator.vector.VectorOperators.ZERO_EXTEND_B2I;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.ByteVector;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of {@link WeightFormat#MXFP4}: 32 exponents of a byte, then in each word four columns of a
 * row, and in its upper nibbles the four that are 16 further on.
 */
final class Mxfp4Panels extends QuantPanels {

  private static final VectorSpecies<Byte> B = Lanes.I8;
  private static final VectorSpecies<Byte> BYTES = Lanes.BYTES;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final int L = F.length();
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int WORD_BYTES = 4 * ROWS;
  private static final int PARTS = BYTES.length() / I.length();
  private static final int WORDS = 4;
  private static final int WORDS_AT = ROWS;

  private static final int BLOCK_BYTES = 17 * ROWS;

  /** What is added to twice the values, to make them unsigned. */
  static final int ZERO = 12;

  /**
   * Twice the values of the sixteen codes, above zero, again and again to fill a vector. Indices
   * wrap at its end, so what a byte has above a code does not matter.
   */
  static final ByteVector DOUBLED = doubled();

  Mxfp4Panels() {
    super(
        PanelLayout.of(
            WeightFormat.MXFP4, new PanelLayout.Units(0, 1, 1), new PanelLayout.Units(1, 4, WORDS)),
        GROUP,
        GROUP);
  }

  @Override
  void steps(MemorySegment packed, long panelAt, int from, int width, float[] scratch, int lane) {
    long at = panelAt + layout().blockAt(from);
    int to = STEPS_AT + lane;
    for (int k = 0; k < width; k += GROUP) {
      powers(packed, at, scratch, to);
      at += BLOCK_BYTES;
      to += Tiles.STRIDE;
    }
  }

  /** Steps, whose halves make up for the doubled values; and lows, NaN where they are no floats. */
  private static void powers(MemorySegment packed, long at, float[] scratch, int to) {
    for (int row = 0; row < ROWS; row += I.length()) {
      FloatVector step = step(packed, at, row);
      FloatVector low = step.mul(-ZERO);
      step.intoArray(scratch, to + row);
      low.add(low.sub(low)).intoArray(scratch, to + LOWS_AT - STEPS_AT + row);
    }
  }

  /** Steps 2^(e − 128) of the rows from {@code row} on, subnormal for the two smallest. */
  static FloatVector step(MemorySegment packed, long at, int row) {
    int part = row / I.length() % PARTS;
    IntVector e =
        (IntVector)
            ByteVector.fromMemorySegment(
                    BYTES, packed, at + row - part * I.length(), ByteOrder.LITTLE_ENDIAN)
                .convertShape(ZERO_EXTEND_B2I, I, part);
    IntVector subnormal = e.mul(0x0020_0000).add(0x0020_0000);
    return e.sub(1).lanewise(LSHL, 23).blend(subnormal, e.compare(LT, 2)).reinterpretAsFloats();
  }

  @Override
  void words(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    long at = panelAt + layout().blockAt(from) + WORDS_AT;
    for (int i = 0; i < WORDS; i++) {
      for (int row = 0; row < ROWS; row += I.length()) {
        IntVector eight =
            IntVector.fromMemorySegment(
                I, packed, at + 4L * (i * ROWS + row), ByteOrder.LITTLE_ENDIAN);
        ByteVector lower = eight.reinterpretAsBytes();
        ByteVector upper = eight.lanewise(LSHR, 4).reinterpretAsBytes();
        int to = QuantPanels.WORDS_AT + i * Tiles.STRIDE + lane + row;
        lower.selectFrom(DOUBLED).reinterpretAsFloats().intoArray(scratch, to);
        upper
            .selectFrom(DOUBLED)
            .reinterpretAsFloats()
            .intoArray(scratch, to + WORDS * Tiles.STRIDE);
      }
    }
  }

  @Override
  void tile(
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
    IntVector lowerMask = IntVector.broadcast(I, 0xff);
    IntVector upperMask = IntVector.broadcast(I, 0xff00);
    FloatVector aSum = FloatVector.fromArray(F, scratch, sumsAt);
    FloatVector bSum = FloatVector.fromArray(F, scratch, sumsAt + L);
    FloatVector cSum = FloatVector.fromArray(F, scratch, sumsAt + 2 * L);
    FloatVector dSum = FloatVector.fromArray(F, scratch, sumsAt + 3 * L);
    FloatVector aStep = FloatVector.fromArray(F, scratch, STEPS_AT + row);
    FloatVector bStep = FloatVector.fromArray(F, scratch, STEPS_AT + row + L);
    FloatVector cStep = FloatVector.fromArray(F, scratch, STEPS_AT + row + 2 * L);
    FloatVector dStep = FloatVector.fromArray(F, scratch, STEPS_AT + row + 3 * L);
    FloatVector aLow = FloatVector.fromArray(F, scratch, LOWS_AT + row);
    FloatVector bLow = FloatVector.fromArray(F, scratch, LOWS_AT + row + L);
    FloatVector cLow = FloatVector.fromArray(F, scratch, LOWS_AT + row + 2 * L);
    FloatVector dLow = FloatVector.fromArray(F, scratch, LOWS_AT + row + 3 * L);
    FloatVector aUpper = aStep.mul(0x1p-8f);
    FloatVector bUpper = bStep.mul(0x1p-8f);
    FloatVector cUpper = cStep.mul(0x1p-8f);
    FloatVector dUpper = dStep.mul(0x1p-8f);
    long begin = layout().blockAt(from) + WORDS_AT;
    long end = begin + WORDS * WORD_BYTES;
    for (int shift = 0; shift <= 4; shift += 4) {
      for (long at = begin; at < end; at += WORD_BYTES) {
        FloatVector x0 = FloatVector.broadcast(F, x[xAt]);
        FloatVector x1 = FloatVector.broadcast(F, x[xAt + 1]);
        FloatVector x2 = FloatVector.broadcast(F, x[xAt + 2]);
        FloatVector x3 = FloatVector.broadcast(F, x[xAt + 3]);
        xAt += WORD_COLUMNS;
        IntVector word;
        FloatVector q;
        word =
            IntVector.fromMemorySegment(I, packed, aAt + at, ByteOrder.LITTLE_ENDIAN)
                .lanewise(LSHR, shift)
                .reinterpretAsBytes()
                .selectFrom(DOUBLED)
                .reinterpretAsInts();
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        aSum = aStep.fma(q, aLow).fma(x0, aSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        aSum = aUpper.fma(q, aLow).fma(x1, aSum);
        word = word.lanewise(LSHR, 16);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        aSum = aStep.fma(q, aLow).fma(x2, aSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        aSum = aUpper.fma(q, aLow).fma(x3, aSum);
        word =
            IntVector.fromMemorySegment(I, packed, bAt + at, ByteOrder.LITTLE_ENDIAN)
                .lanewise(LSHR, shift)
                .reinterpretAsBytes()
                .selectFrom(DOUBLED)
                .reinterpretAsInts();
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        bSum = bStep.fma(q, bLow).fma(x0, bSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        bSum = bUpper.fma(q, bLow).fma(x1, bSum);
        word = word.lanewise(LSHR, 16);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        bSum = bStep.fma(q, bLow).fma(x2, bSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        bSum = bUpper.fma(q, bLow).fma(x3, bSum);
        word =
            IntVector.fromMemorySegment(I, packed, cAt + at, ByteOrder.LITTLE_ENDIAN)
                .lanewise(LSHR, shift)
                .reinterpretAsBytes()
                .selectFrom(DOUBLED)
                .reinterpretAsInts();
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        cSum = cStep.fma(q, cLow).fma(x0, cSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        cSum = cUpper.fma(q, cLow).fma(x1, cSum);
        word = word.lanewise(LSHR, 16);
        q = (FloatVector) word.and(lowerMask).convertShape(I2F, F, 0);
        cSum = cStep.fma(q, cLow).fma(x2, cSum);
        q = (FloatVector) word.and(upperMask).convertShape(I2F, F, 0);
        cSum = cUpper.fma(q, cLow).fma(x3, cSum);
        word =
            IntVector.fromMemorySegment(I, packed, dAt + at, ByteOrder.LITTLE_ENDIAN)
                .lanewise(LSHR, shift)
                .reinterpretAsBytes()
                .selectFrom(DOUBLED)
                .reinterpretAsInts();
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

  private static ByteVector doubled() {
    byte[] values = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12};
    byte[] lanes = new byte[B.length()];
    for (int i = 0; i < lanes.length; i++) {
      lanes[i] = (byte) (values[i % values.length] + ZERO);
    }
    return ByteVector.fromArray(B, lanes, 0);
  }
}
