package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;

/**
 * The upper half of a float. Encoding rounds to nearest, ties to even: at most 2⁻⁸·|x| away for
 * normal values; NaN stays NaN.
 */
final class Bf16Codec implements BlockCodec {

  private static final int QUIET = 0x0040;

  @Override
  public void decode(MemorySegment stored, long storedAt, float[] values, int valuesAt, int count) {
    for (int i = 0; i < count; i++) {
      int bits = stored.get(BlockwiseCodec.SHORT, storedAt + 2L * i) << 16;
      values[valuesAt + i] = Float.intBitsToFloat(bits);
    }
  }

  @Override
  public void encode(float[] values, int valuesAt, MemorySegment stored, long storedAt, int count) {
    for (int i = 0; i < count; i++) {
      stored.set(BlockwiseCodec.SHORT, storedAt + 2L * i, nearest(values[valuesAt + i]));
    }
  }

  private static short nearest(float value) {
    int bits = Float.floatToRawIntBits(value);
    if (Float.isNaN(value)) {
      return (short) (bits >> 16 | QUIET);
    }
    int even = bits >>> 16 & 1;
    return (short) (bits + 0x7fff + even >> 16);
  }
}
