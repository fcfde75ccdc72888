package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;

/** Turns the stored blocks of one weight format into floats and back; the oracle of its matmul. */
public interface BlockCodec {

  /**
   * Decodes {@code count} values, a multiple of the block length, from {@code stored} at byte
   * {@code storedAt} into {@code values} at {@code valuesAt}.
   */
  void decode(MemorySegment stored, long storedAt, float[] values, int valuesAt, int count);

  /** Encodes {@code count} values, a multiple of the block length: the nearest block for each. */
  void encode(float[] values, int valuesAt, MemorySegment stored, long storedAt, int count);
}
