package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;

/**
 * IEEE half precision. Encoding rounds to nearest, ties to even: at most 2⁻¹¹·|x| away, or 2⁻²⁵ for
 * subnormal results; from 65520 on, a value becomes infinite.
 */
final class F16Codec implements BlockCodec {

  @Override
  public void decode(MemorySegment stored, long storedAt, float[] values, int valuesAt, int count) {
    for (int i = 0; i < count; i++) {
      values[valuesAt + i] = BlockwiseCodec.half(stored, storedAt + 2L * i);
    }
  }

  @Override
  public void encode(float[] values, int valuesAt, MemorySegment stored, long storedAt, int count) {
    for (int i = 0; i < count; i++) {
      BlockwiseCodec.putHalf(stored, storedAt + 2L * i, values[valuesAt + i]);
    }
  }
}
