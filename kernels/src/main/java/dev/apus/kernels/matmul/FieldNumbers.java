package dev.apus.kernels.matmul;

import static java.nio.ByteOrder.LITTLE_ENDIAN;
import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.LSHR;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Quants of five or six bits, less half of their range: see {@link Fields}. Two parts share a step.
 */
record FieldNumbers(Fields fields, boolean lows) implements IntegerNumbers {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final int L = F.length();
  private static final int SPAN = RoundedInputs.SPAN;
  private static final int UNIT = NibbleFilling.UNIT_COLUMNS;
  private static final int HALF_BYTES = IntegerLayout.HALF_BYTES;
  private static final int NIBBLE = 4;

  /** Behind what the parts of a step need: the scale, and the scale times the sum. */
  private static final int ENDING = 2;

  @Override
  public int partColumns() {
    return fields.columns();
  }

  @Override
  public int stepColumns() {
    return FieldTiles.PARTS * fields.columns();
  }

  @Override
  public long spanBytes() {
    return (long) SPAN / fields.columns() * fields.halves() * HALF_BYTES;
  }

  @Override
  public int start() {
    return RoundedInputs.LOWER_START;
  }

  private int partFloats() {
    return 1 + fields.halves() * Fields.COUNT;
  }

  @Override
  public int preparedFloats() {
    return SPAN / stepColumns() * (FieldTiles.PARTS * partFloats() + ENDING);
  }

  @Override
  public void prepare(
      float[] x, int xAt, int xStride, int spans, float[] scratch, int preparedAt) {
    int[] numbers = new int[SPAN];
    int at = preparedAt;
    for (int span = 0; span < spans; span++) {
      plain(x, xAt, numbers);
      for (int col = 0; col < SPAN; ) {
        for (int part = 0; part < FieldTiles.PARTS; part++) {
          part(numbers, col, scratch, at);
          at += partFloats();
          col += fields.columns();
        }
        scratch[at] = x[xAt + RoundedInputs.SCALE] * RoundedInputs.WHOLE;
        scratch[at + 1] = x[xAt + RoundedInputs.TOTAL];
        at += ENDING;
      }
      xAt += xStride;
    }
  }

  /** Takes back what nibbles want changed. */
  private static void plain(float[] x, int xAt, int[] numbers) {
    int before = 0;
    for (int k = 0; k < SPAN; k++) {
      before = k % UNIT == 0 ? 0 : before;
      before = (short) (Float.floatToRawIntBits(x[xAt + k]) + (before << NIBBLE));
      numbers[k] = before;
    }
  }

  private void part(int[] numbers, int col, float[] to, int toAt) {
    int sum = 0;
    for (int k = 0; k < fields.columns(); k++) {
      sum += numbers[col + k];
    }
    int start = -fields.zero() * sum;
    to[toAt] =
        Float.intBitsToFloat(start + RoundedInputs.LOWER_ZERO & 0xffff | start << Short.SIZE);
    for (int i = 0; i < fields.column().length; i++) {
      int number = numbers[col + fields.column()[i]] << fields.exponent()[i];
      int field = i % Fields.COUNT;
      if (field > 0) {
        int before = numbers[col + fields.column()[i - 1]] << fields.exponent()[i - 1];
        number -= before << fields.fieldBits(field - 1);
      }
      to[toAt + 1 + i] = RoundedInputs.twice(number);
    }
  }

  @Override
  public void one(
      MemorySegment packed,
      long aAt,
      long bAt,
      int spans,
      float[] scratch,
      float[] x,
      int xAt,
      int xStride,
      int preparedAt,
      int stepsAt,
      int lowsAt,
      int sumsAt) {
    FieldTiles.one(
        packed,
        aAt,
        bAt,
        spans * (SPAN / stepColumns()),
        fields.halves(),
        fields.shifts()[1],
        fields.shifts()[2],
        fields.shifts()[3],
        lows,
        scratch,
        preparedAt,
        stepsAt,
        lowsAt,
        sumsAt);
  }

  @Override
  public void unpack(
      MemorySegment packed, long aAt, long bAt, float[] scratch, int numbersAt, int stride) {
    int partBytes = fields.halves() * HALF_BYTES;
    for (int col = 0; col < SPAN; col += fields.columns()) {
      unpackPart(packed, aAt, scratch, numbersAt + col * stride, stride);
      unpackPart(packed, bAt, scratch, numbersAt + col * stride + L, stride);
      aAt += partBytes;
      bAt += partBytes;
    }
  }

  /** One vector's numbers of a part, and above each those of the columns that follow in its unit. */
  private void unpackPart(MemorySegment packed, long at, float[] scratch, int to, int stride) {
    int whole = Short.SIZE / fields.bits();
    short mask = (short) ((1 << fields.bits()) - 1);
    ShortVector zero = IntVector.broadcast(I, fields.zero() * 0x10001).reinterpretAsShorts();
    int column = to;
    for (int half = 0; half < fields.halves(); half++) {
      ShortVector u = half(packed, at, half);
      for (int i = 0; i < whole; i++) {
        u.and(mask).sub(zero).reinterpretAsFloats().intoArray(scratch, column);
        u = u.lanewise(LSHR, fields.bits());
        column += stride;
      }
    }
    if (fields == Fields.SIX) {
      ShortVector middle = half(packed, at, 1).lanewise(LSHR, 12);
      half(packed, at, 0)
          .lanewise(LSHR, 12)
          .or(middle.and((short) 3).lanewise(LSHL, 4))
          .sub(zero)
          .reinterpretAsFloats()
          .intoArray(scratch, column);
      half(packed, at, 2)
          .lanewise(LSHR, 12)
          .lanewise(LSHL, 2)
          .or(middle.lanewise(LSHR, 2))
          .sub(zero)
          .reinterpretAsFloats()
          .intoArray(scratch, column + stride);
    } else {
      ShortVector last = half(packed, at, 0).lanewise(LSHR, 15);
      for (int half = 1; half < fields.halves(); half++) {
        last = last.or(half(packed, at, half).lanewise(LSHR, 15).lanewise(LSHL, half));
      }
      last.sub(zero).reinterpretAsFloats().intoArray(scratch, column);
    }
    for (int unit = 0; unit < fields.columns(); unit += UNIT) {
      int first = to + unit * stride;
      ShortVector above = FloatVector.fromArray(F, scratch, first + 3 * stride).reinterpretAsShorts();
      for (int k = UNIT - 2; k >= 0; k--) {
        int columnAt = first + k * stride;
        above =
            FloatVector.fromArray(F, scratch, columnAt)
                .reinterpretAsShorts()
                .add(above.lanewise(LSHL, NIBBLE));
        above.reinterpretAsFloats().intoArray(scratch, columnAt);
      }
    }
  }

  private static ShortVector half(MemorySegment packed, long at, int half) {
    return IntVector.fromMemorySegment(I, packed, at + (long) half * HALF_BYTES, LITTLE_ENDIAN)
        .reinterpretAsShorts();
  }

  @Override
  public void scale(
      float[] scratch,
      int wholesAt,
      int stride,
      int spans,
      float[] x,
      int xAt,
      int xStride,
      int stepsAt,
      int lowsAt,
      int sumsAt) {
    int spanSteps = SPAN / stepColumns();
    FieldTiles.scale(
        scratch,
        wholesAt,
        stride,
        IntegerTiles.TILE * stride,
        spans * spanSteps,
        spanSteps,
        lows,
        x,
        xAt,
        xStride,
        stepsAt,
        lowsAt,
        sumsAt);
  }
}
