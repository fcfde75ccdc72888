package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;

/** Turns the stored blocks of one weight format into floats and back; the oracle of its matmul. */
public interface BlockCodec {

  /**
   * Decodes {@code count} values, a multiple of the block length, from {@code stored} at byte
   * {@code storedAt} into {@code values} at {@code valuesAt}. Any bytes decode; a block whose scale
   * is zero decodes to zeros.
   */
  void decode(MemorySegment stored, long storedAt, float[] values, int valuesAt, int count);

  /**
   * Encodes {@code count} values, a multiple of the block length: the nearest block for each. How
   * near that is, {@link WeightFormat} says; a block of zeros comes back as zeros.
   *
   * @throws IllegalArgumentException if a value has no place in its block: NaN, infinite, or larger
   *     than the largest scale can carry; F32, F16 and BF16 take every value
   */
  void encode(float[] values, int valuesAt, MemorySegment stored, long storedAt, int count);
}
