package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** Little-endian floats, exactly. */
final class F32Codec implements BlockCodec {

  private static final ValueLayout.OfFloat FLOAT =
      ValueLayout.JAVA_FLOAT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  @Override
  public void decode(MemorySegment stored, long storedAt, float[] values, int valuesAt, int count) {
    MemorySegment.copy(stored, FLOAT, storedAt, values, valuesAt, count);
  }

  @Override
  public void encode(float[] values, int valuesAt, MemorySegment stored, long storedAt, int count) {
    if (count == 1) {
      // Keys are written value by value, and a copy takes ten times as long as what it copies.
      stored.set(FLOAT, storedAt, values[valuesAt]);
    } else {
      MemorySegment.copy(values, valuesAt, stored, FLOAT, storedAt, count);
    }
  }
}
