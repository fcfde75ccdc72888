package dev.apus.kernels.matmul;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The inner loops of {@link VectorIntegerMatmul}: two vectors of words, a and b, by one, four or
 * eight tokens, whose sums stay in halves of words while the columns of a span pass by.
 *
 * <p>The lower halves of a vector's words belong to as many neighbouring rows, the upper ones to
 * those {@link #HALF} rows later.
 */
final class IntegerTiles {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int L = F.length();

  /** Rows from those of a word's lower half to that of its upper one. */
  static final int HALF = Matmul.PANEL_ROWS / 2;

  /** Floats, or words, of two vectors. */
  static final int PAIR = 2 * L;

  /** Rows from those of vector a to those of b, of the same panel if it has as many vectors. */
  static final int B_ROWS = L < HALF ? L : Matmul.PANEL_ROWS;

  /** Floats, or words, of four vectors. */
  static final int QUAD = 4 * L;

  /** Whether there are registers for tiles of four vectors. */
  static final boolean MANY_REGISTERS = L >= 16;

  /** Tokens of a tile. */
  static final int TILE = 4;

  private static final int HALF_BITS = Short.SIZE;
  private static final int UPPER = 0xffff0000;
  private static final int STRIDE = Tiles.STRIDE;
  private static final int SPAN = RoundedInputs.SPAN;
  private static final int TOKEN = RoundedInputs.FLOATS;
  private static final int START = RoundedInputs.START;
  private static final int SCALE = RoundedInputs.SCALE;
  private static final int TOTAL = RoundedInputs.TOTAL;
  private static final int UNIT_COLUMNS = NibbleFilling.UNIT_COLUMNS;
  private static final long UNIT_BYTES = IntegerLayout.HALF_BYTES;

  /** Bytes of a span's nibbles in a panel. */
  static final long SPAN_BYTES = SPAN / UNIT_COLUMNS * UNIT_BYTES;

  private IntegerTiles() {}

  /**
   * Nibbles by one token, for some spans, and straight to its sums.
   *
   * @param aAt where the first span's nibbles of vector a begin; those of the next ones follow
   */
  static void one(
      MemorySegment packed,
      long aAt,
      long bAt,
      int spans,
      boolean lows,
      float[] scratch,
      float[] x,
      int xAt,
      int xStride,
      int stepsAt,
      int lowsAt,
      int sumsAt) {
    FloatVector aSum = FloatVector.fromArray(F, scratch, sumsAt);
    FloatVector aLater = FloatVector.fromArray(F, scratch, sumsAt + HALF);
    FloatVector bSum = FloatVector.fromArray(F, scratch, sumsAt + B_ROWS);
    FloatVector bLater = FloatVector.fromArray(F, scratch, sumsAt + B_ROWS + HALF);
    long apart = bAt - aAt;
    for (int span = 0; span < spans; span++) {
      ShortVector aWhole = FloatVector.broadcast(F, x[xAt + START]).reinterpretAsShorts();
      ShortVector bWhole = aWhole;
      long end = aAt + SPAN_BYTES;
      int at = xAt;
      for (long unit = aAt; unit < end; unit += UNIT_BYTES) {
        ShortVector a =
            IntVector.fromMemorySegment(I, packed, unit, LITTLE_ENDIAN).reinterpretAsShorts();
        ShortVector b =
            IntVector.fromMemorySegment(I, packed, unit + apart, LITTLE_ENDIAN)
                .reinterpretAsShorts();
        ShortVector by = FloatVector.broadcast(F, x[at]).reinterpretAsShorts();
        aWhole = aWhole.add(a.mul(by));
        bWhole = bWhole.add(b.mul(by));
        by = FloatVector.broadcast(F, x[at + 1]).reinterpretAsShorts();
        aWhole = aWhole.add(a.lanewise(LSHR, 4).mul(by));
        bWhole = bWhole.add(b.lanewise(LSHR, 4).mul(by));
        by = FloatVector.broadcast(F, x[at + 2]).reinterpretAsShorts();
        aWhole = aWhole.add(a.lanewise(LSHR, 8).mul(by));
        bWhole = bWhole.add(b.lanewise(LSHR, 8).mul(by));
        by = FloatVector.broadcast(F, x[at + 3]).reinterpretAsShorts();
        aWhole = aWhole.add(a.lanewise(LSHR, 12).mul(by));
        bWhole = bWhole.add(b.lanewise(LSHR, 12).mul(by));
        at += UNIT_COLUMNS;
      }
      FloatVector scale = FloatVector.broadcast(F, x[xAt + SCALE]);
      IntVector a = aWhole.reinterpretAsInts();
      FloatVector aStep = FloatVector.fromArray(F, scratch, stepsAt).mul(scale);
      FloatVector aLaterStep = FloatVector.fromArray(F, scratch, stepsAt + HALF).mul(scale);
      aSum = aStep.fma((FloatVector) a.lanewise(LSHL, HALF_BITS).convertShape(I2F, F, 0), aSum);
      aLater = aLaterStep.fma((FloatVector) a.and(UPPER).convertShape(I2F, F, 0), aLater);
      IntVector b = bWhole.reinterpretAsInts();
      FloatVector bStep = FloatVector.fromArray(F, scratch, stepsAt + B_ROWS).mul(scale);
      FloatVector bLaterStep =
          FloatVector.fromArray(F, scratch, stepsAt + B_ROWS + HALF).mul(scale);
      bSum = bStep.fma((FloatVector) b.lanewise(LSHL, HALF_BITS).convertShape(I2F, F, 0), bSum);
      bLater = bLaterStep.fma((FloatVector) b.and(UPPER).convertShape(I2F, F, 0), bLater);
      if (lows) {
        FloatVector total = FloatVector.broadcast(F, x[xAt + TOTAL]);
        aSum = FloatVector.fromArray(F, scratch, lowsAt).fma(total, aSum);
        aLater = FloatVector.fromArray(F, scratch, lowsAt + HALF).fma(total, aLater);
        bSum = FloatVector.fromArray(F, scratch, lowsAt + B_ROWS).fma(total, bSum);
        bLater = FloatVector.fromArray(F, scratch, lowsAt + B_ROWS + HALF).fma(total, bLater);
      }
      aAt = end;
      xAt += xStride;
      stepsAt += STRIDE;
      lowsAt += STRIDE;
    }
    aSum.intoArray(scratch, sumsAt);
    aLater.intoArray(scratch, sumsAt + HALF);
    bSum.intoArray(scratch, sumsAt + B_ROWS);
    bLater.intoArray(scratch, sumsAt + B_ROWS + HALF);
  }

  /**
   * Brings the nibbles of a span, and what is above them, to the lowest bits of halves of words:
   * column after column, vector a and b of each.
   *
   * @param stride floats from a column to the next
   */
  static void unpack(
      MemorySegment packed, long aAt, long bAt, float[] scratch, int numbersAt, int stride) {
    for (long unit = 0; unit < SPAN_BYTES; unit += UNIT_BYTES) {
      ShortVector a =
          IntVector.fromMemorySegment(I, packed, aAt + unit, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector b =
          IntVector.fromMemorySegment(I, packed, bAt + unit, LITTLE_ENDIAN).reinterpretAsShorts();
      for (int column = 0; column < UNIT_COLUMNS; column++) {
        a.reinterpretAsFloats().intoArray(scratch, numbersAt);
        b.reinterpretAsFloats().intoArray(scratch, numbersAt + L);
        a = a.lanewise(LSHR, 4);
        b = b.lanewise(LSHR, 4);
        numbersAt += stride;
      }
    }
  }

  /**
   * Unpacked numbers of some columns, two vectors of each, by four tokens.
   *
   * @param startAt where a token's sums have what they begin with
   */
  static void four(
      float[] scratch, int numbersAt, int columns, float[] x, int xAt, int startAt, int wholesAt) {
    ShortVector a0 = FloatVector.broadcast(F, x[startAt]).reinterpretAsShorts();
    ShortVector b0 = a0;
    ShortVector a1 = FloatVector.broadcast(F, x[startAt + TOKEN]).reinterpretAsShorts();
    ShortVector b1 = a1;
    ShortVector a2 = FloatVector.broadcast(F, x[startAt + 2 * TOKEN]).reinterpretAsShorts();
    ShortVector b2 = a2;
    ShortVector a3 = FloatVector.broadcast(F, x[startAt + 3 * TOKEN]).reinterpretAsShorts();
    ShortVector b3 = a3;
    for (int k = 0; k < columns; k++) {
      int at = numbersAt + k * PAIR;
      ShortVector a = FloatVector.fromArray(F, scratch, at).reinterpretAsShorts();
      ShortVector b = FloatVector.fromArray(F, scratch, at + L).reinterpretAsShorts();
      ShortVector by;
      by = FloatVector.broadcast(F, x[xAt + k]).reinterpretAsShorts();
      a0 = a0.add(a.mul(by));
      b0 = b0.add(b.mul(by));
      by = FloatVector.broadcast(F, x[xAt + TOKEN + k]).reinterpretAsShorts();
      a1 = a1.add(a.mul(by));
      b1 = b1.add(b.mul(by));
      by = FloatVector.broadcast(F, x[xAt + 2 * TOKEN + k]).reinterpretAsShorts();
      a2 = a2.add(a.mul(by));
      b2 = b2.add(b.mul(by));
      by = FloatVector.broadcast(F, x[xAt + 3 * TOKEN + k]).reinterpretAsShorts();
      a3 = a3.add(a.mul(by));
      b3 = b3.add(b.mul(by));
    }
    a0.reinterpretAsFloats().intoArray(scratch, wholesAt);
    b0.reinterpretAsFloats().intoArray(scratch, wholesAt + L);
    a1.reinterpretAsFloats().intoArray(scratch, wholesAt + PAIR);
    b1.reinterpretAsFloats().intoArray(scratch, wholesAt + PAIR + L);
    a2.reinterpretAsFloats().intoArray(scratch, wholesAt + 2 * PAIR);
    b2.reinterpretAsFloats().intoArray(scratch, wholesAt + 2 * PAIR + L);
    a3.reinterpretAsFloats().intoArray(scratch, wholesAt + 3 * PAIR);
    b3.reinterpretAsFloats().intoArray(scratch, wholesAt + 3 * PAIR + L);
  }

  /** Unpacked numbers of some columns, four vectors of each, by four tokens. */
  static void fourWide(
      float[] scratch, int numbersAt, int columns, float[] x, int xAt, int startAt, int wholesAt) {
    ShortVector a0 = FloatVector.broadcast(F, x[startAt]).reinterpretAsShorts();
    ShortVector b0 = a0;
    ShortVector c0 = a0;
    ShortVector d0 = a0;
    ShortVector a1 = FloatVector.broadcast(F, x[startAt + TOKEN]).reinterpretAsShorts();
    ShortVector b1 = a1;
    ShortVector c1 = a1;
    ShortVector d1 = a1;
    ShortVector a2 = FloatVector.broadcast(F, x[startAt + 2 * TOKEN]).reinterpretAsShorts();
    ShortVector b2 = a2;
    ShortVector c2 = a2;
    ShortVector d2 = a2;
    ShortVector a3 = FloatVector.broadcast(F, x[startAt + 3 * TOKEN]).reinterpretAsShorts();
    ShortVector b3 = a3;
    ShortVector c3 = a3;
    ShortVector d3 = a3;
    for (int k = 0; k < columns; k++) {
      int at = numbersAt + k * QUAD;
      ShortVector a = FloatVector.fromArray(F, scratch, at).reinterpretAsShorts();
      ShortVector b = FloatVector.fromArray(F, scratch, at + L).reinterpretAsShorts();
      ShortVector c = FloatVector.fromArray(F, scratch, at + 2 * L).reinterpretAsShorts();
      ShortVector d = FloatVector.fromArray(F, scratch, at + 3 * L).reinterpretAsShorts();
      ShortVector by;
      by = FloatVector.broadcast(F, x[xAt + k]).reinterpretAsShorts();
      a0 = a0.add(a.mul(by));
      b0 = b0.add(b.mul(by));
      c0 = c0.add(c.mul(by));
      d0 = d0.add(d.mul(by));
      by = FloatVector.broadcast(F, x[xAt + TOKEN + k]).reinterpretAsShorts();
      a1 = a1.add(a.mul(by));
      b1 = b1.add(b.mul(by));
      c1 = c1.add(c.mul(by));
      d1 = d1.add(d.mul(by));
      by = FloatVector.broadcast(F, x[xAt + 2 * TOKEN + k]).reinterpretAsShorts();
      a2 = a2.add(a.mul(by));
      b2 = b2.add(b.mul(by));
      c2 = c2.add(c.mul(by));
      d2 = d2.add(d.mul(by));
      by = FloatVector.broadcast(F, x[xAt + 3 * TOKEN + k]).reinterpretAsShorts();
      a3 = a3.add(a.mul(by));
      b3 = b3.add(b.mul(by));
      c3 = c3.add(c.mul(by));
      d3 = d3.add(d.mul(by));
    }
    a0.reinterpretAsFloats().intoArray(scratch, wholesAt);
    b0.reinterpretAsFloats().intoArray(scratch, wholesAt + L);
    c0.reinterpretAsFloats().intoArray(scratch, wholesAt + 2 * L);
    d0.reinterpretAsFloats().intoArray(scratch, wholesAt + 3 * L);
    a1.reinterpretAsFloats().intoArray(scratch, wholesAt + QUAD);
    b1.reinterpretAsFloats().intoArray(scratch, wholesAt + QUAD + L);
    c1.reinterpretAsFloats().intoArray(scratch, wholesAt + QUAD + 2 * L);
    d1.reinterpretAsFloats().intoArray(scratch, wholesAt + QUAD + 3 * L);
    a2.reinterpretAsFloats().intoArray(scratch, wholesAt + 2 * QUAD);
    b2.reinterpretAsFloats().intoArray(scratch, wholesAt + 2 * QUAD + L);
    c2.reinterpretAsFloats().intoArray(scratch, wholesAt + 2 * QUAD + 2 * L);
    d2.reinterpretAsFloats().intoArray(scratch, wholesAt + 2 * QUAD + 3 * L);
    a3.reinterpretAsFloats().intoArray(scratch, wholesAt + 3 * QUAD);
    b3.reinterpretAsFloats().intoArray(scratch, wholesAt + 3 * QUAD + L);
    c3.reinterpretAsFloats().intoArray(scratch, wholesAt + 3 * QUAD + 2 * L);
    d3.reinterpretAsFloats().intoArray(scratch, wholesAt + 3 * QUAD + 3 * L);
  }

  /**
   * Adds the sums of one or two spans, as floats, to those of a tile's tokens: of two vectors by
   * four tokens. Two at a time, because what costs is to load and store.
   *
   * @param wholesAt of the first span
   * @param stride floats from a token's sums in whole numbers to those of the next
   * @param spanStride floats to those of the second span
   * @param xStride floats from a token's first span to its second
   */
  static void scale(
      float[] scratch,
      int wholesAt,
      int stride,
      int spanStride,
      boolean two,
      boolean lows,
      float[] x,
      int xAt,
      int xStride,
      int stepsAt,
      int lowsAt,
      int sumsAt) {
    for (int row = 0; row < 2 * B_ROWS; row += B_ROWS) {
      FloatVector step = FloatVector.fromArray(F, scratch, stepsAt + row);
      FloatVector laterStep = FloatVector.fromArray(F, scratch, stepsAt + row + HALF);
      FloatVector low = FloatVector.fromArray(F, scratch, lowsAt + row);
      FloatVector laterLow = FloatVector.fromArray(F, scratch, lowsAt + row + HALF);
      FloatVector nextStep = FloatVector.fromArray(F, scratch, stepsAt + STRIDE + row);
      FloatVector laterNextStep = FloatVector.fromArray(F, scratch, stepsAt + STRIDE + row + HALF);
      FloatVector nextLow = FloatVector.fromArray(F, scratch, lowsAt + STRIDE + row);
      FloatVector laterNextLow = FloatVector.fromArray(F, scratch, lowsAt + STRIDE + row + HALF);
      for (int t = 0; t < TILE; t++) {
        int at = sumsAt + t * STRIDE + row;
        int from = xAt + t * TOKEN;
        FloatVector sum = FloatVector.fromArray(F, scratch, at);
        FloatVector later = FloatVector.fromArray(F, scratch, at + HALF);
        IntVector whole =
            FloatVector.fromArray(F, scratch, wholesAt + t * stride).reinterpretAsInts();
        FloatVector scale = FloatVector.broadcast(F, x[from + SCALE]);
        sum =
            step.mul(scale)
                .fma((FloatVector) whole.lanewise(LSHL, HALF_BITS).convertShape(I2F, F, 0), sum);
        later =
            laterStep.mul(scale).fma((FloatVector) whole.and(UPPER).convertShape(I2F, F, 0), later);
        if (lows) {
          FloatVector total = FloatVector.broadcast(F, x[from + TOTAL]);
          sum = low.fma(total, sum);
          later = laterLow.fma(total, later);
        }
        if (two) {
          whole =
              FloatVector.fromArray(F, scratch, wholesAt + spanStride + t * stride)
                  .reinterpretAsInts();
          scale = FloatVector.broadcast(F, x[from + xStride + SCALE]);
          sum =
              nextStep
                  .mul(scale)
                  .fma((FloatVector) whole.lanewise(LSHL, HALF_BITS).convertShape(I2F, F, 0), sum);
          later =
              laterNextStep
                  .mul(scale)
                  .fma((FloatVector) whole.and(UPPER).convertShape(I2F, F, 0), later);
          if (lows) {
            FloatVector total = FloatVector.broadcast(F, x[from + xStride + TOTAL]);
            sum = nextLow.fma(total, sum);
            later = laterNextLow.fma(total, later);
          }
        }
        sum.intoArray(scratch, at);
        later.intoArray(scratch, at + HALF);
      }
      wholesAt += L;
    }
  }
}
