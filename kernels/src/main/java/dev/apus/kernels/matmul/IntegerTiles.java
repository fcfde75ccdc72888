package dev.apus.kernels.matmul;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.ASHR;
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
  private static final int B_ROWS = L < HALF ? L : Matmul.PANEL_ROWS;

  /** Whether there are registers for tiles of eight tokens. */
  static final boolean MANY_REGISTERS = L >= 16;

  private static final int HALF_BITS = Short.SIZE;
  private static final int NIBBLES = 0x000f000f;
  private static final int STRIDE = Tiles.STRIDE;
  private static final int SPAN = RoundedInputs.SPAN;
  private static final int TOKEN = RoundedInputs.FLOATS;
  private static final int START = RoundedInputs.START;
  private static final int SCALE = RoundedInputs.SCALE;
  private static final int TOTAL = RoundedInputs.TOTAL;
  private static final int UNIT_COLUMNS = IntegerLayout.UNIT_COLUMNS;
  private static final long UNIT_BYTES = IntegerLayout.UNIT_BYTES;
  private static final long SPAN_BYTES = IntegerLayout.SPAN_BYTES;

  private IntegerTiles() {}

  /**
   * Nibbles by one token, for some spans, and straight to its sums.
   *
   * @param aAt where the first span's nibbles of vector a begin
   */
  static void one(
      MemorySegment packed,
      long aAt,
      long bAt,
      long spanStride,
      int spans,
      boolean lows,
      float[] scratch,
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
      ShortVector aWhole = FloatVector.broadcast(F, scratch[xAt + START]).reinterpretAsShorts();
      ShortVector bWhole = aWhole;
      long end = aAt + SPAN_BYTES;
      int at = xAt;
      for (long unit = aAt; unit < end; unit += UNIT_BYTES) {
        IntVector a = IntVector.fromMemorySegment(I, packed, unit, LITTLE_ENDIAN);
        IntVector b = IntVector.fromMemorySegment(I, packed, unit + apart, LITTLE_ENDIAN);
        ShortVector x = FloatVector.broadcast(F, scratch[at]).reinterpretAsShorts();
        aWhole = aWhole.add(a.and(NIBBLES).reinterpretAsShorts().mul(x));
        bWhole = bWhole.add(b.and(NIBBLES).reinterpretAsShorts().mul(x));
        x = FloatVector.broadcast(F, scratch[at + 1]).reinterpretAsShorts();
        aWhole = aWhole.add(a.lanewise(LSHR, 4).and(NIBBLES).reinterpretAsShorts().mul(x));
        bWhole = bWhole.add(b.lanewise(LSHR, 4).and(NIBBLES).reinterpretAsShorts().mul(x));
        x = FloatVector.broadcast(F, scratch[at + 2]).reinterpretAsShorts();
        aWhole = aWhole.add(a.lanewise(LSHR, 8).and(NIBBLES).reinterpretAsShorts().mul(x));
        bWhole = bWhole.add(b.lanewise(LSHR, 8).and(NIBBLES).reinterpretAsShorts().mul(x));
        x = FloatVector.broadcast(F, scratch[at + 3]).reinterpretAsShorts();
        aWhole = aWhole.add(a.lanewise(LSHR, 12).and(NIBBLES).reinterpretAsShorts().mul(x));
        bWhole = bWhole.add(b.lanewise(LSHR, 12).and(NIBBLES).reinterpretAsShorts().mul(x));
        at += UNIT_COLUMNS;
      }
      FloatVector scale = FloatVector.broadcast(F, scratch[xAt + SCALE]);
      IntVector a = aWhole.reinterpretAsInts();
      FloatVector aStep = FloatVector.fromArray(F, scratch, stepsAt).mul(scale);
      FloatVector aLaterStep = FloatVector.fromArray(F, scratch, stepsAt + HALF).mul(scale);
      aSum =
          aStep.fma(
              (FloatVector)
                  a.lanewise(LSHL, HALF_BITS).lanewise(ASHR, HALF_BITS).convertShape(I2F, F, 0),
              aSum);
      aLater =
          aLaterStep.fma((FloatVector) a.lanewise(ASHR, HALF_BITS).convertShape(I2F, F, 0), aLater);
      IntVector b = bWhole.reinterpretAsInts();
      FloatVector bStep = FloatVector.fromArray(F, scratch, stepsAt + B_ROWS).mul(scale);
      FloatVector bLaterStep =
          FloatVector.fromArray(F, scratch, stepsAt + B_ROWS + HALF).mul(scale);
      bSum =
          bStep.fma(
              (FloatVector)
                  b.lanewise(LSHL, HALF_BITS).lanewise(ASHR, HALF_BITS).convertShape(I2F, F, 0),
              bSum);
      bLater =
          bLaterStep.fma((FloatVector) b.lanewise(ASHR, HALF_BITS).convertShape(I2F, F, 0), bLater);
      if (lows) {
        FloatVector total = FloatVector.broadcast(F, scratch[xAt + TOTAL]);
        aSum = FloatVector.fromArray(F, scratch, lowsAt).fma(total, aSum);
        aLater = FloatVector.fromArray(F, scratch, lowsAt + HALF).fma(total, aLater);
        bSum = FloatVector.fromArray(F, scratch, lowsAt + B_ROWS).fma(total, bSum);
        bLater = FloatVector.fromArray(F, scratch, lowsAt + B_ROWS + HALF).fma(total, bLater);
      }
      aAt += spanStride;
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
   * Brings the nibbles of a span to halves of words: column after column, vector a and b of each.
   */
  static void unpack(MemorySegment packed, long aAt, long bAt, float[] scratch, int numbersAt) {
    for (long unit = 0; unit < SPAN_BYTES; unit += UNIT_BYTES) {
      IntVector a = IntVector.fromMemorySegment(I, packed, aAt + unit, LITTLE_ENDIAN);
      IntVector b = IntVector.fromMemorySegment(I, packed, bAt + unit, LITTLE_ENDIAN);
      for (int column = 0; column < UNIT_COLUMNS; column++) {
        a.and(NIBBLES).reinterpretAsFloats().intoArray(scratch, numbersAt);
        b.and(NIBBLES).reinterpretAsFloats().intoArray(scratch, numbersAt + L);
        a = a.lanewise(LSHR, 4);
        b = b.lanewise(LSHR, 4);
        numbersAt += PAIR;
      }
    }
  }

  /** Unpacked numbers of a span by four tokens. */
  static void four(float[] scratch, int numbersAt, int xAt, int wholesAt) {
    ShortVector a0 = FloatVector.broadcast(F, scratch[xAt + START]).reinterpretAsShorts();
    ShortVector b0 = a0;
    ShortVector a1 = FloatVector.broadcast(F, scratch[xAt + TOKEN + START]).reinterpretAsShorts();
    ShortVector b1 = a1;
    ShortVector a2 =
        FloatVector.broadcast(F, scratch[xAt + 2 * TOKEN + START]).reinterpretAsShorts();
    ShortVector b2 = a2;
    ShortVector a3 =
        FloatVector.broadcast(F, scratch[xAt + 3 * TOKEN + START]).reinterpretAsShorts();
    ShortVector b3 = a3;
    for (int k = 0; k < SPAN; k++) {
      int at = numbersAt + k * PAIR;
      ShortVector a = FloatVector.fromArray(F, scratch, at).reinterpretAsShorts();
      ShortVector b = FloatVector.fromArray(F, scratch, at + L).reinterpretAsShorts();
      ShortVector x;
      x = FloatVector.broadcast(F, scratch[xAt + k]).reinterpretAsShorts();
      a0 = a0.add(a.mul(x));
      b0 = b0.add(b.mul(x));
      x = FloatVector.broadcast(F, scratch[xAt + TOKEN + k]).reinterpretAsShorts();
      a1 = a1.add(a.mul(x));
      b1 = b1.add(b.mul(x));
      x = FloatVector.broadcast(F, scratch[xAt + 2 * TOKEN + k]).reinterpretAsShorts();
      a2 = a2.add(a.mul(x));
      b2 = b2.add(b.mul(x));
      x = FloatVector.broadcast(F, scratch[xAt + 3 * TOKEN + k]).reinterpretAsShorts();
      a3 = a3.add(a.mul(x));
      b3 = b3.add(b.mul(x));
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

  /** Unpacked numbers of a span by eight tokens. */
  static void eight(float[] scratch, int numbersAt, int xAt, int wholesAt) {
    ShortVector a0 = FloatVector.broadcast(F, scratch[xAt + START]).reinterpretAsShorts();
    ShortVector b0 = a0;
    ShortVector a1 = FloatVector.broadcast(F, scratch[xAt + TOKEN + START]).reinterpretAsShorts();
    ShortVector b1 = a1;
    ShortVector a2 =
        FloatVector.broadcast(F, scratch[xAt + 2 * TOKEN + START]).reinterpretAsShorts();
    ShortVector b2 = a2;
    ShortVector a3 =
        FloatVector.broadcast(F, scratch[xAt + 3 * TOKEN + START]).reinterpretAsShorts();
    ShortVector b3 = a3;
    ShortVector a4 =
        FloatVector.broadcast(F, scratch[xAt + 4 * TOKEN + START]).reinterpretAsShorts();
    ShortVector b4 = a4;
    ShortVector a5 =
        FloatVector.broadcast(F, scratch[xAt + 5 * TOKEN + START]).reinterpretAsShorts();
    ShortVector b5 = a5;
    ShortVector a6 =
        FloatVector.broadcast(F, scratch[xAt + 6 * TOKEN + START]).reinterpretAsShorts();
    ShortVector b6 = a6;
    ShortVector a7 =
        FloatVector.broadcast(F, scratch[xAt + 7 * TOKEN + START]).reinterpretAsShorts();
    ShortVector b7 = a7;
    for (int k = 0; k < SPAN; k++) {
      int at = numbersAt + k * PAIR;
      ShortVector a = FloatVector.fromArray(F, scratch, at).reinterpretAsShorts();
      ShortVector b = FloatVector.fromArray(F, scratch, at + L).reinterpretAsShorts();
      ShortVector x;
      x = FloatVector.broadcast(F, scratch[xAt + k]).reinterpretAsShorts();
      a0 = a0.add(a.mul(x));
      b0 = b0.add(b.mul(x));
      x = FloatVector.broadcast(F, scratch[xAt + TOKEN + k]).reinterpretAsShorts();
      a1 = a1.add(a.mul(x));
      b1 = b1.add(b.mul(x));
      x = FloatVector.broadcast(F, scratch[xAt + 2 * TOKEN + k]).reinterpretAsShorts();
      a2 = a2.add(a.mul(x));
      b2 = b2.add(b.mul(x));
      x = FloatVector.broadcast(F, scratch[xAt + 3 * TOKEN + k]).reinterpretAsShorts();
      a3 = a3.add(a.mul(x));
      b3 = b3.add(b.mul(x));
      x = FloatVector.broadcast(F, scratch[xAt + 4 * TOKEN + k]).reinterpretAsShorts();
      a4 = a4.add(a.mul(x));
      b4 = b4.add(b.mul(x));
      x = FloatVector.broadcast(F, scratch[xAt + 5 * TOKEN + k]).reinterpretAsShorts();
      a5 = a5.add(a.mul(x));
      b5 = b5.add(b.mul(x));
      x = FloatVector.broadcast(F, scratch[xAt + 6 * TOKEN + k]).reinterpretAsShorts();
      a6 = a6.add(a.mul(x));
      b6 = b6.add(b.mul(x));
      x = FloatVector.broadcast(F, scratch[xAt + 7 * TOKEN + k]).reinterpretAsShorts();
      a7 = a7.add(a.mul(x));
      b7 = b7.add(b.mul(x));
    }
    a0.reinterpretAsFloats().intoArray(scratch, wholesAt);
    b0.reinterpretAsFloats().intoArray(scratch, wholesAt + L);
    a1.reinterpretAsFloats().intoArray(scratch, wholesAt + PAIR);
    b1.reinterpretAsFloats().intoArray(scratch, wholesAt + PAIR + L);
    a2.reinterpretAsFloats().intoArray(scratch, wholesAt + 2 * PAIR);
    b2.reinterpretAsFloats().intoArray(scratch, wholesAt + 2 * PAIR + L);
    a3.reinterpretAsFloats().intoArray(scratch, wholesAt + 3 * PAIR);
    b3.reinterpretAsFloats().intoArray(scratch, wholesAt + 3 * PAIR + L);
    a4.reinterpretAsFloats().intoArray(scratch, wholesAt + 4 * PAIR);
    b4.reinterpretAsFloats().intoArray(scratch, wholesAt + 4 * PAIR + L);
    a5.reinterpretAsFloats().intoArray(scratch, wholesAt + 5 * PAIR);
    b5.reinterpretAsFloats().intoArray(scratch, wholesAt + 5 * PAIR + L);
    a6.reinterpretAsFloats().intoArray(scratch, wholesAt + 6 * PAIR);
    b6.reinterpretAsFloats().intoArray(scratch, wholesAt + 6 * PAIR + L);
    a7.reinterpretAsFloats().intoArray(scratch, wholesAt + 7 * PAIR);
    b7.reinterpretAsFloats().intoArray(scratch, wholesAt + 7 * PAIR + L);
  }

  /** Adds a span's sums of a tile, as floats, to those of its tokens. */
  static void scale(
      float[] scratch,
      int wholesAt,
      int tokens,
      boolean lows,
      int xAt,
      int stepsAt,
      int lowsAt,
      int sumsAt) {
    for (int row = 0; row < 2 * B_ROWS; row += B_ROWS) {
      FloatVector step = FloatVector.fromArray(F, scratch, stepsAt + row);
      FloatVector laterStep = FloatVector.fromArray(F, scratch, stepsAt + row + HALF);
      FloatVector low = FloatVector.fromArray(F, scratch, lowsAt + row);
      FloatVector laterLow = FloatVector.fromArray(F, scratch, lowsAt + row + HALF);
      for (int t = 0; t < tokens; t++) {
        IntVector whole =
            FloatVector.fromArray(F, scratch, wholesAt + t * PAIR).reinterpretAsInts();
        FloatVector scale = FloatVector.broadcast(F, scratch[xAt + t * TOKEN + SCALE]);
        int at = sumsAt + t * STRIDE + row;
        FloatVector sum = FloatVector.fromArray(F, scratch, at);
        FloatVector later = FloatVector.fromArray(F, scratch, at + HALF);
        sum =
            step.mul(scale)
                .fma(
                    (FloatVector)
                        whole
                            .lanewise(LSHL, HALF_BITS)
                            .lanewise(ASHR, HALF_BITS)
                            .convertShape(I2F, F, 0),
                    sum);
        later =
            laterStep
                .mul(scale)
                .fma((FloatVector) whole.lanewise(ASHR, HALF_BITS).convertShape(I2F, F, 0), later);
        if (lows) {
          FloatVector total = FloatVector.broadcast(F, scratch[xAt + t * TOKEN + TOTAL]);
          sum = low.fma(total, sum);
          later = laterLow.fma(total, later);
        }
        sum.intoArray(scratch, at);
        later.intoArray(scratch, at + HALF);
      }
      wholesAt += L;
    }
  }
}
