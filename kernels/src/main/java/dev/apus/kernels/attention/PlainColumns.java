package dev.apus.kernels.attention;

import dev.apus.kernels.block.BlockCodec;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;

/** Columns of values that are kept by themselves, one behind the other. */
record PlainColumns(BlockCodec codec, int unit) implements Columns {

  PlainColumns(WeightFormat format) {
    this(format.codec(), Math.toIntExact(format.rowBytes(1)));
  }

  @Override
  public int bytes() {
    return SpannedAttention.LANES * unit;
  }

  @Override
  public void load(
      MemorySegment memory, long columnAt, int lane, float[] values, int valuesAt, int count) {
    codec.decode(memory, columnAt + (long) lane * unit, values, valuesAt, count);
  }

  @Override
  public void store(
      float[] values, int valuesAt, MemorySegment memory, long columnAt, int lane, int count) {
    codec.encode(values, valuesAt, memory, columnAt + (long) lane * unit, count);
  }

  @Override
  public void encode(float[] values, int valuesAt, MemorySegment memory, long columnAt, int count) {
    codec.encode(values, valuesAt, memory, columnAt, count);
  }
}
