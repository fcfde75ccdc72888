package dev.apus.kernels.matmul;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;

/**
 * Quants of five or six bits, less half of their range, or codes: see {@link Fields}. Two parts
 * share a step.
 */
record FieldNumbers(Fields fields, boolean lows, FieldRounding rounding) implements IntegerNumbers {

  private static final int L = Lanes.F32.length();
  private static final int SPAN = RoundedInputs.SPAN;
  private static final int HALF_BYTES = IntegerLayout.HALF_BYTES;

  FieldNumbers(Fields fields, boolean lows) {
    this(fields, lows, new FieldRounding(fields));
  }

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

  @Override
  public Alone alone(int cols, int tokens, int roundedAt) {
    return rounding.alone(cols, tokens, roundedAt);
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
      int stepsAt,
      int lowsAt,
      int sumsAt) {
    FieldTiles.one(
        packed,
        aAt,
        bAt,
        spans * (SPAN / stepColumns()),
        fields.halves(),
        fields == Fields.CODES,
        fields.above(1),
        fields.shifts()[2],
        fields.above(3),
        lows,
        scratch,
        x,
        xAt,
        stepsAt,
        lowsAt,
        sumsAt);
  }

  @Override
  public void unpack(
      MemorySegment packed, long aAt, long bAt, float[] scratch, int numbersAt, int stride) {
    long end = aAt + spanBytes();
    long apart = bAt - aAt;
    for (long at = aAt; at < end; at += (long) fields.halves() * HALF_BYTES) {
      unpackPart(packed, at, scratch, numbersAt, stride);
      unpackPart(packed, at + apart, scratch, numbersAt + L, stride);
      numbersAt += fields.columns() * stride;
    }
  }

  private void unpackPart(MemorySegment packed, long at, float[] scratch, int to, int stride) {
    if (fields == Fields.SIX) {
      FieldTiles.six(packed, at, scratch, to, stride);
    } else if (fields == Fields.CODES) {
      FieldTiles.codes(packed, at, scratch, to, stride);
    } else {
      FieldTiles.five(packed, at, scratch, to, stride);
    }
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
