package dev.apus.kernels.matmul;

import java.lang.foreign.MemorySegment;

/** Nibbles less 8: a span of them is one part. */
record NibbleNumbers(boolean lows) implements IntegerNumbers {

  private static final int SPAN = RoundedInputs.SPAN;

  @Override
  public int partColumns() {
    return SPAN;
  }

  @Override
  public int stepColumns() {
    return SPAN;
  }

  @Override
  public long spanBytes() {
    return IntegerTiles.SPAN_BYTES;
  }

  @Override
  public int start() {
    return RoundedInputs.START;
  }

  @Override
  public void unpack(
      MemorySegment packed, long aAt, long bAt, float[] scratch, int numbersAt, int stride) {
    IntegerTiles.unpack(packed, aAt, bAt, scratch, numbersAt, stride);
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
    IntegerTiles.scale(
        scratch,
        wholesAt,
        stride,
        IntegerTiles.TILE * stride,
        spans == 2,
        lows,
        x,
        xAt,
        xStride,
        stepsAt,
        lowsAt,
        sumsAt);
  }

  @Override
  public Rounding rounding() {
    return VectorRounding.SHARED;
  }

  /** The numbers that tiles would read: they are rounded as nibbles want them. */
  @Override
  public Alone alone(int cols, int tokens, int roundedAt) {
    int at = VectorRounding.tokenAt(cols, tokens - VectorRounding.alone(tokens));
    return new Alone(roundedAt + at, RoundedInputs.FLOATS, VectorRounding.spanStride(tokens));
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
    IntegerTiles.one(
        packed, aAt, bAt, spans, lows, scratch, x, xAt, xStride, stepsAt, lowsAt, sumsAt);
  }
}
