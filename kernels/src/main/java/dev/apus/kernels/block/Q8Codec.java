package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@link WeightFormat#Q8_0}: {@code value = scale · q}.
 *
 * <pre>
 *   bytes 0…1    scale, F16
 *   bytes 2…33   q₀ … q₃₁, signed bytes
 * </pre>
 *
 * <p>All values are NaN where the scale is not finite. Encoding gives the largest magnitude q =
 * ±127. A value comes back within half a scale, and within 127 times what rounding the scale to F16
 * took away. Encoding decoded values gives the same block, unless its scale has rounded to zero.
 */
final class Q8Codec extends BlockwiseCodec {

  private static final int LENGTH = 32;
  private static final int LARGEST_Q = 127;

  Q8Codec() {
    super(LENGTH, 34, LARGEST_Q);
  }

  @Override
  void decodeBlock(MemorySegment stored, long at, float[] values, int valuesAt) {
    float scale = finiteHalf(stored, at);
    for (int i = 0; i < LENGTH; i++) {
      values[valuesAt + i] = scale * stored.get(ValueLayout.JAVA_BYTE, at + 2 + i);
    }
  }

  @Override
  void encodeBlock(float[] values, int valuesAt, MemorySegment stored, long at) {
    float largest = 0;
    for (int i = 0; i < LENGTH; i++) {
      largest = Math.max(largest, Math.abs(values[valuesAt + i]));
    }
    putHalf(stored, at, largest / LARGEST_Q);
    float perStep = largest == 0 ? 0 : LARGEST_Q / largest;
    for (int i = 0; i < LENGTH; i++) {
      int q = Math.round(values[valuesAt + i] * perStep);
      putByte(stored, at + 2 + i, Math.clamp(q, -LARGEST_Q, LARGEST_Q));
    }
  }
}
