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
 * The inner loops of {@link FieldNumbers}: as {@link IntegerTiles} for nibbles, but sums are
 * widened to words twice for each step.
 *
 * <p>A lower half's sum begins with 2¹⁵, so that it is unsigned.
 */
final class FieldTiles {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int L = F.length();
  private static final int HALF = IntegerTiles.HALF;
  private static final int B_ROWS = IntegerTiles.B_ROWS;
  private static final int STRIDE = Tiles.STRIDE;
  private static final int TOKEN = RoundedInputs.FLOATS;
  private static final int UNIT_BYTES = IntegerLayout.HALF_BYTES;

  /** Parts of the columns that share a step. */
  static final int PARTS = 2;

  /** The bits of a lower half; all others make up for what lower halves of two sums began with. */
  private static final int LOWER = 0xffff;

  private FieldTiles() {}

  /**
   * Fields by one token, for some steps, and straight to its sums.
   *
   * @param aAt where the first step's fields of vector a begin; those of the next ones follow
   * @param halves of a part
   * @param codes whether to look up what halves have, once as they are and once shifted by {@code
   *     third}
   * @param second where a half's second field begins
   * @param fourth where its fourth one begins, above the third
   * @param xAt where {@link FieldInputs} are
   */
  static void one(
      MemorySegment packed,
      long aAt,
      long bAt,
      int steps,
      int halves,
      boolean codes,
      int second,
      int third,
      int fourth,
      boolean lows,
      float[] scratch,
      float[] x,
      int xAt,
      int stepsAt,
      int lowsAt,
      int sumsAt) {
    FloatVector aSum = FloatVector.fromArray(F, scratch, sumsAt);
    FloatVector aLater = FloatVector.fromArray(F, scratch, sumsAt + HALF);
    FloatVector bSum = FloatVector.fromArray(F, scratch, sumsAt + B_ROWS);
    FloatVector bLater = FloatVector.fromArray(F, scratch, sumsAt + B_ROWS + HALF);
    long apart = bAt - aAt;
    long unit = aAt;
    int at = xAt;
    for (int step = 0; step < steps; step++) {
      IntVector aWide = IntVector.broadcast(I, ~LOWER);
      IntVector bWide = aWide;
      IntVector aWideLater = IntVector.zero(I);
      IntVector bWideLater = aWideLater;
      for (int part = 0; part < PARTS; part++) {
        ShortVector aWhole = FloatVector.broadcast(F, x[at]).reinterpretAsShorts();
        ShortVector bWhole = aWhole;
        at++;
        long end = unit + halves * UNIT_BYTES;
        for (; unit < end; unit += UNIT_BYTES) {
          ShortVector a =
              IntVector.fromMemorySegment(I, packed, unit, LITTLE_ENDIAN).reinterpretAsShorts();
          ShortVector b =
              IntVector.fromMemorySegment(I, packed, unit + apart, LITTLE_ENDIAN)
                  .reinterpretAsShorts();
          ShortVector aUpper = a.lanewise(LSHR, third);
          ShortVector bUpper = b.lanewise(LSHR, third);
          if (codes) {
            a = doubled(a);
            b = doubled(b);
            aUpper = doubled(aUpper);
            bUpper = doubled(bUpper);
          }
          ShortVector by = FloatVector.broadcast(F, x[at]).reinterpretAsShorts();
          aWhole = aWhole.add(a.mul(by));
          bWhole = bWhole.add(b.mul(by));
          by = FloatVector.broadcast(F, x[at + 1]).reinterpretAsShorts();
          aWhole = aWhole.add(a.lanewise(LSHR, second).mul(by));
          bWhole = bWhole.add(b.lanewise(LSHR, second).mul(by));
          by = FloatVector.broadcast(F, x[at + 2]).reinterpretAsShorts();
          aWhole = aWhole.add(aUpper.mul(by));
          bWhole = bWhole.add(bUpper.mul(by));
          by = FloatVector.broadcast(F, x[at + 3]).reinterpretAsShorts();
          aWhole = aWhole.add(aUpper.lanewise(LSHR, fourth).mul(by));
          bWhole = bWhole.add(bUpper.lanewise(LSHR, fourth).mul(by));
          at += Fields.COUNT;
        }
        IntVector a = aWhole.reinterpretAsInts();
        aWide = aWide.add(a.and(LOWER));
        aWideLater = aWideLater.add(a.lanewise(ASHR, Short.SIZE));
        IntVector b = bWhole.reinterpretAsInts();
        bWide = bWide.add(b.and(LOWER));
        bWideLater = bWideLater.add(b.lanewise(ASHR, Short.SIZE));
      }
      FloatVector scale = FloatVector.broadcast(F, x[at]);
      FloatVector aStep = FloatVector.fromArray(F, scratch, stepsAt).mul(scale);
      FloatVector aLaterStep = FloatVector.fromArray(F, scratch, stepsAt + HALF).mul(scale);
      aSum = aStep.fma((FloatVector) aWide.convertShape(I2F, F, 0), aSum);
      aLater = aLaterStep.fma((FloatVector) aWideLater.convertShape(I2F, F, 0), aLater);
      FloatVector bStep = FloatVector.fromArray(F, scratch, stepsAt + B_ROWS).mul(scale);
      FloatVector bLaterStep =
          FloatVector.fromArray(F, scratch, stepsAt + B_ROWS + HALF).mul(scale);
      bSum = bStep.fma((FloatVector) bWide.convertShape(I2F, F, 0), bSum);
      bLater = bLaterStep.fma((FloatVector) bWideLater.convertShape(I2F, F, 0), bLater);
      if (lows) {
        FloatVector total = FloatVector.broadcast(F, x[at + 1]);
        aSum = FloatVector.fromArray(F, scratch, lowsAt).fma(total, aSum);
        aLater = FloatVector.fromArray(F, scratch, lowsAt + HALF).fma(total, aLater);
        bSum = FloatVector.fromArray(F, scratch, lowsAt + B_ROWS).fma(total, bSum);
        bLater = FloatVector.fromArray(F, scratch, lowsAt + B_ROWS + HALF).fma(total, bLater);
      }
      at += 2;
      stepsAt += STRIDE;
      lowsAt += STRIDE;
    }
    aSum.intoArray(scratch, sumsAt);
    aLater.intoArray(scratch, sumsAt + HALF);
    bSum.intoArray(scratch, sumsAt + B_ROWS);
    bLater.intoArray(scratch, sumsAt + B_ROWS + HALF);
  }

  /**
   * Unpacks a part of {@link Fields#FIVE} for one vector of words: numbers, and above each of them
   * those of the columns that follow in its unit of four, which {@link VectorRounding} makes up
   * for.
   *
   * @param stride floats from a column to the next
   */
  static void five(MemorySegment packed, long at, float[] scratch, int to, int stride) {
    ShortVector zero = IntVector.broadcast(I, Fields.FIVE.zero() * 0x10001).reinterpretAsShorts();
    ShortVector h0 =
        IntVector.fromMemorySegment(I, packed, at, LITTLE_ENDIAN).reinterpretAsShorts();
    ShortVector h1 =
        IntVector.fromMemorySegment(I, packed, at + UNIT_BYTES, LITTLE_ENDIAN)
            .reinterpretAsShorts();
    ShortVector h2 =
        IntVector.fromMemorySegment(I, packed, at + 2 * UNIT_BYTES, LITTLE_ENDIAN)
            .reinterpretAsShorts();
    ShortVector h3 =
        IntVector.fromMemorySegment(I, packed, at + 3 * UNIT_BYTES, LITTLE_ENDIAN)
            .reinterpretAsShorts();
    ShortVector h4 =
        IntVector.fromMemorySegment(I, packed, at + 4 * UNIT_BYTES, LITTLE_ENDIAN)
            .reinterpretAsShorts();
    ShortVector v;
    v = h1.and((short) 31).sub(zero);
    v.reinterpretAsFloats().intoArray(scratch, to + 3 * stride);
    v = h0.lanewise(LSHR, 10).and((short) 31).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 2 * stride);
    v = h0.lanewise(LSHR, 5).and((short) 31).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + stride);
    v = h0.and((short) 31).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to);
    v = h2.lanewise(LSHR, 5).and((short) 31).sub(zero);
    v.reinterpretAsFloats().intoArray(scratch, to + 7 * stride);
    v = h2.and((short) 31).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 6 * stride);
    v = h1.lanewise(LSHR, 10).and((short) 31).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 5 * stride);
    v = h1.lanewise(LSHR, 5).and((short) 31).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 4 * stride);
    v = h3.lanewise(LSHR, 10).and((short) 31).sub(zero);
    v.reinterpretAsFloats().intoArray(scratch, to + 11 * stride);
    v = h3.lanewise(LSHR, 5).and((short) 31).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 10 * stride);
    v = h3.and((short) 31).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 9 * stride);
    v = h2.lanewise(LSHR, 10).and((short) 31).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 8 * stride);
    v =
        h0.lanewise(LSHR, 15)
            .or(h1.lanewise(LSHR, 14).and((short) 2))
            .or(h2.lanewise(LSHR, 13).and((short) 4))
            .or(h3.lanewise(LSHR, 12).and((short) 8))
            .or(h4.lanewise(LSHR, 11).and((short) 16))
            .sub(zero);
    v.reinterpretAsFloats().intoArray(scratch, to + 15 * stride);
    v = h4.lanewise(LSHR, 10).and((short) 31).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 14 * stride);
    v = h4.lanewise(LSHR, 5).and((short) 31).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 13 * stride);
    v = h4.and((short) 31).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 12 * stride);
  }

  /**
   * Unpacks a part of {@link Fields#SIX} for one vector of words: numbers, and above each of them
   * those of the columns that follow in its unit of four, which {@link VectorRounding} makes up
   * for.
   *
   * @param stride floats from a column to the next
   */
  static void six(MemorySegment packed, long at, float[] scratch, int to, int stride) {
    ShortVector zero = IntVector.broadcast(I, Fields.SIX.zero() * 0x10001).reinterpretAsShorts();
    ShortVector h0 =
        IntVector.fromMemorySegment(I, packed, at, LITTLE_ENDIAN).reinterpretAsShorts();
    ShortVector h1 =
        IntVector.fromMemorySegment(I, packed, at + UNIT_BYTES, LITTLE_ENDIAN)
            .reinterpretAsShorts();
    ShortVector h2 =
        IntVector.fromMemorySegment(I, packed, at + 2 * UNIT_BYTES, LITTLE_ENDIAN)
            .reinterpretAsShorts();
    ShortVector v;
    v = h1.lanewise(LSHR, 6).and((short) 63).sub(zero);
    v.reinterpretAsFloats().intoArray(scratch, to + 3 * stride);
    v = h1.and((short) 63).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 2 * stride);
    v = h0.lanewise(LSHR, 6).and((short) 63).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + stride);
    v = h0.and((short) 63).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to);
    v = h2.lanewise(LSHR, 10).and((short) 0x3c).or(h1.lanewise(LSHR, 14)).sub(zero);
    v.reinterpretAsFloats().intoArray(scratch, to + 7 * stride);
    v =
        h0.lanewise(LSHR, 12)
            .or(h1.lanewise(LSHR, 8).and((short) 0x30))
            .sub(zero)
            .add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 6 * stride);
    v = h2.lanewise(LSHR, 6).and((short) 63).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 5 * stride);
    v = h2.and((short) 63).sub(zero).add(v.lanewise(LSHL, 4));
    v.reinterpretAsFloats().intoArray(scratch, to + 4 * stride);
  }

  /**
   * Looks up a part of {@link Fields#CODES} for one vector of words, to the same.
   *
   * @param stride floats from a column to the next
   */
  static void codes(MemorySegment packed, long at, float[] scratch, int to, int stride) {
    ShortVector zero = IntVector.broadcast(I, Fields.CODES.zero() * 0x10001).reinterpretAsShorts();
    long end = at + Fields.CODES.halves() * UNIT_BYTES;
    for (; at < end; at += UNIT_BYTES) {
      ShortVector u =
          IntVector.fromMemorySegment(I, packed, at, LITTLE_ENDIAN).reinterpretAsShorts();
      ShortVector even = doubled(u);
      ShortVector odd = doubled(u.lanewise(LSHR, 4));
      ShortVector v = odd.lanewise(LSHR, 8).sub(zero);
      v.reinterpretAsFloats().intoArray(scratch, to + 3 * stride);
      v = even.lanewise(LSHR, 8).sub(zero).add(v.lanewise(LSHL, 4));
      v.reinterpretAsFloats().intoArray(scratch, to + 2 * stride);
      v = odd.and((short) 0xff).sub(zero).add(v.lanewise(LSHL, 4));
      v.reinterpretAsFloats().intoArray(scratch, to + stride);
      v = even.and((short) 0xff).sub(zero).add(v.lanewise(LSHL, 4));
      v.reinterpretAsFloats().intoArray(scratch, to);
      to += NibbleFilling.UNIT_COLUMNS * stride;
    }
  }

  /** What the lower nibbles of bytes stand for; the upper ones do not matter. */
  private static ShortVector doubled(ShortVector codes) {
    return codes.reinterpretAsBytes().selectFrom(Mxfp4Panels.DOUBLED).reinterpretAsShorts();
  }

  /**
   * Adds the sums of some steps, of two parts each, as floats, to those of a tile's tokens: of two
   * vectors by four tokens.
   *
   * @param wholesAt of the first part
   * @param stride floats from a token's sums in whole numbers to those of the next
   * @param partStride floats to those of the next part
   * @param spanSteps steps of a span, 1 or 2
   * @param xStride floats from a token's span to its next one
   */
  static void scale(
      float[] scratch,
      int wholesAt,
      int stride,
      int partStride,
      int steps,
      int spanSteps,
      boolean lows,
      float[] x,
      int xAt,
      int xStride,
      int stepsAt,
      int lowsAt,
      int sumsAt) {
    for (int row = 0; row < 2 * B_ROWS; row += B_ROWS) {
      for (int t = 0; t < IntegerTiles.TILE; t += 2) {
        int at = sumsAt + t * STRIDE + row;
        FloatVector sum = FloatVector.fromArray(F, scratch, at);
        FloatVector later = FloatVector.fromArray(F, scratch, at + HALF);
        FloatVector otherSum = FloatVector.fromArray(F, scratch, at + STRIDE);
        FloatVector otherLater = FloatVector.fromArray(F, scratch, at + STRIDE + HALF);
        int from = wholesAt + t * stride;
        int inputs = xAt + t * TOKEN;
        int stepAt = stepsAt + row;
        int lowAt = lowsAt + row;
        for (int i = 1; i <= steps; i++) {
          FloatVector step = FloatVector.fromArray(F, scratch, stepAt);
          FloatVector laterStep = FloatVector.fromArray(F, scratch, stepAt + HALF);
          FloatVector scale = FloatVector.broadcast(F, x[inputs + RoundedInputs.SCALE]);
          IntVector one = FloatVector.fromArray(F, scratch, from).reinterpretAsInts();
          IntVector two = FloatVector.fromArray(F, scratch, from + partStride).reinterpretAsInts();
          IntVector whole = one.and(LOWER).add(two.or(~LOWER));
          sum = step.mul(scale).fma((FloatVector) whole.convertShape(I2F, F, 0), sum);
          whole = one.lanewise(ASHR, Short.SIZE).add(two.lanewise(ASHR, Short.SIZE));
          later = laterStep.mul(scale).fma((FloatVector) whole.convertShape(I2F, F, 0), later);
          scale = FloatVector.broadcast(F, x[inputs + TOKEN + RoundedInputs.SCALE]);
          one = FloatVector.fromArray(F, scratch, from + stride).reinterpretAsInts();
          two = FloatVector.fromArray(F, scratch, from + stride + partStride).reinterpretAsInts();
          whole = one.and(LOWER).add(two.or(~LOWER));
          otherSum = step.mul(scale).fma((FloatVector) whole.convertShape(I2F, F, 0), otherSum);
          whole = one.lanewise(ASHR, Short.SIZE).add(two.lanewise(ASHR, Short.SIZE));
          otherLater =
              laterStep.mul(scale).fma((FloatVector) whole.convertShape(I2F, F, 0), otherLater);
          if (lows) {
            FloatVector low = FloatVector.fromArray(F, scratch, lowAt);
            FloatVector laterLow = FloatVector.fromArray(F, scratch, lowAt + HALF);
            FloatVector total = FloatVector.broadcast(F, x[inputs + RoundedInputs.TOTAL]);
            sum = low.fma(total, sum);
            later = laterLow.fma(total, later);
            total = FloatVector.broadcast(F, x[inputs + TOKEN + RoundedInputs.TOTAL]);
            otherSum = low.fma(total, otherSum);
            otherLater = laterLow.fma(total, otherLater);
          }
          from += PARTS * partStride;
          stepAt += STRIDE;
          lowAt += STRIDE;
          inputs += (i & spanSteps - 1) == 0 ? xStride : 0;
        }
        sum.intoArray(scratch, at);
        later.intoArray(scratch, at + HALF);
        otherSum.intoArray(scratch, at + STRIDE);
        otherLater.intoArray(scratch, at + STRIDE + HALF);
      }
      wholesAt += L;
    }
  }
}
