package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/** A codec whose values share a scale in blocks: the walk over the blocks. */
abstract class BlockwiseCodec implements BlockCodec {

  static final ValueLayout.OfShort SHORT =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final float LARGEST_F16 = 65504;

  private final int blockLength;
  private final int blockBytes;
  private final float largestSteps;

  /**
   * @param largestSteps how many of the block's F16 scales its largest magnitude can be; infinite
   *     where the scale reaches every float
   */
  BlockwiseCodec(int blockLength, int blockBytes, float largestSteps) {
    this.blockLength = blockLength;
    this.blockBytes = blockBytes;
    this.largestSteps = largestSteps;
  }

  @Override
  public final void decode(
      MemorySegment stored, long storedAt, float[] values, int valuesAt, int count) {
    for (int i = 0; i < count; i += blockLength) {
      decodeBlock(stored, storedAt, values, valuesAt + i);
      storedAt += blockBytes;
    }
  }

  @Override
  public final void encode(
      float[] values, int valuesAt, MemorySegment stored, long storedAt, int count) {
    for (int i = 0; i < count; i += blockLength) {
      requireStorable(values, valuesAt + i);
      encodeBlock(values, valuesAt + i, stored, storedAt);
      storedAt += blockBytes;
    }
  }

  abstract void decodeBlock(MemorySegment stored, long at, float[] values, int valuesAt);

  /** Encodes one block of finite values. */
  abstract void encodeBlock(float[] values, int valuesAt, MemorySegment stored, long at);

  static float half(MemorySegment stored, long at) {
    return Float.float16ToFloat(stored.get(SHORT, at));
  }

  /** A half of which a whole block's values are multiples: NaN if it is not finite. */
  static float finiteHalf(MemorySegment stored, long at) {
    float scale = half(stored, at);
    return Float.isFinite(scale) ? scale : Float.NaN;
  }

  /** Writes a scale and returns what a reader will see of it. */
  static float putHalf(MemorySegment stored, long at, float scale) {
    short bits = Float.floatToFloat16(scale);
    stored.set(SHORT, at, bits);
    return Float.float16ToFloat(bits);
  }

  static int unsigned(MemorySegment stored, long at) {
    return Byte.toUnsignedInt(stored.get(ValueLayout.JAVA_BYTE, at));
  }

  static void putByte(MemorySegment stored, long at, int value) {
    stored.set(ValueLayout.JAVA_BYTE, at, (byte) value);
  }

  private void requireStorable(float[] values, int from) {
    float largest = LARGEST_F16 * largestSteps;
    for (int i = from; i < from + blockLength; i++) {
      if (!(Math.abs(values[i]) <= Math.min(largest, Float.MAX_VALUE))) {
        throw new IllegalArgumentException(
            "value " + i + " is " + values[i] + "; a block holds finite values up to ±" + largest);
      }
    }
  }
}
