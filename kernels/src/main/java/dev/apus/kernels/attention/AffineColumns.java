package dev.apus.kernels.attention;

import dev.apus.kernels.matmul.PanelProducts;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Columns whose values are rounded together, to whole steps from a base:
 *
 * <pre>
 *   v_i = step · n_i + base          n_i whole, from least to most
 * </pre>
 *
 * <p>Step and base are BF16, and stand in front: the step in the first two bytes. Of bytes, n is
 * one for each lane, signed; of nibbles, the lower ones are the first half of the lanes, the upper
 * ones the second. The base is rounded down and the step up, so that every value has a place: none
 * is off by more than half a step, and a column of equal BF16 values is exact. Where a value is not
 * finite, none of its column is.
 *
 * @see PanelProducts#ofColumns
 */
enum AffineColumns implements Columns {
  /** A byte a value. */
  BYTES(-128, 127, 8),
  /** Half a byte a value. */
  NIBBLES(0, 15, 4);

  /** Bytes of the step and the base. */
  private static final int HEAD = 4;

  /** No step is zero. */
  private static final float SMALLEST = 0x1p-120f;

  private static final int HALF = SpannedAttention.LANES / 2;
  private static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private final int least;
  private final int most;
  private final int bits;

  AffineColumns(int least, int most, int bits) {
    this.least = least;
    this.most = most;
    this.bits = bits;
  }

  int bits() {
    return bits;
  }

  @Override
  public int bytes() {
    return HEAD + SpannedAttention.LANES * bits / 8;
  }

  @Override
  public int unit() {
    return 0;
  }

  @Override
  public void load(
      MemorySegment memory, long columnAt, int lane, float[] values, int valuesAt, int count) {
    int head = memory.get(INT, columnAt);
    float step = Float.intBitsToFloat(head << 16);
    float base = Float.intBitsToFloat(head & 0xffff0000);
    for (int i = 0; i < count; i++) {
      values[valuesAt + i] = Math.fma(number(memory, columnAt + HEAD, lane + i), step, base);
    }
  }

  private float number(MemorySegment memory, long at, int lane) {
    if (this == BYTES) {
      return memory.get(ValueLayout.JAVA_BYTE, at + lane);
    }
    return memory.get(ValueLayout.JAVA_BYTE, at + lane % HALF) >> lane / HALF * 4 & 0xf;
  }

  @Override
  public void store(
      float[] values, int valuesAt, MemorySegment memory, long columnAt, int lane, int count) {
    throw new UnsupportedOperationException("columns of steps are encoded as a whole");
  }

  @Override
  public void encode(float[] values, int valuesAt, MemorySegment memory, long columnAt, int count) {
    float low = values[valuesAt];
    float high = low;
    for (int i = 1; i < count; i++) {
      low = Math.min(low, values[valuesAt + i]);
      high = Math.max(high, values[valuesAt + i]);
    }
    float range = high - low;
    int base = Float.floatToRawIntBits(low - range * least / (most - least));
    // Halves of bits that are cut off are nearer to zero.
    int down = base < 0 && (base & 0xffff) != 0 ? 0x10000 : 0;
    base = (base & 0xffff0000) + down;
    float from = Float.intBitsToFloat(base);
    float needed = (high - from) / most;
    if (least < 0) {
      needed = Math.max(needed, (from - low) / -least);
    }
    int step = Float.floatToRawIntBits(Math.max(SMALLEST, needed));
    step = step + 0xffff & 0xffff0000;
    float size = Float.intBitsToFloat(step);
    if (!Float.isFinite(range) || !Float.isFinite(size)) {
      size = Float.NaN;
      step = Float.floatToRawIntBits(size);
    }
    memory.set(INT, columnAt, step >>> 16 | base);
    for (int i = 0; i < SpannedAttention.LANES; i++) {
      float value = i < count ? values[valuesAt + i] : low;
      // Adding what makes it positive, and a half, is rounding by cutting off.
      int number = (int) ((value - from) / size - least + 0.5f) + least;
      set(memory, columnAt + HEAD, i, Math.clamp(number, least, most));
    }
  }

  private void set(MemorySegment memory, long at, int lane, int number) {
    if (this == BYTES) {
      memory.set(ValueLayout.JAVA_BYTE, at + lane, (byte) number);
    } else if (lane < HALF) {
      memory.set(ValueLayout.JAVA_BYTE, at + lane, (byte) number);
    } else {
      int lower = memory.get(ValueLayout.JAVA_BYTE, at + lane - HALF);
      memory.set(ValueLayout.JAVA_BYTE, at + lane - HALF, (byte) (lower | number << 4));
    }
  }
}
