package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;

/**
 * {@link WeightFormat#Q4_0}: {@code value = scale · (q − 8)}.
 *
 * <pre>
 *   bytes 0…1    scale, F16
 *   byte 2 + i   qᵢ in the low four bits, qᵢ₊₁₆ in the high four
 * </pre>
 *
 * <p>All values are NaN where the scale is not finite. Encoding gives the largest magnitude q = 0,
 * so the scale carries the opposite sign. A value comes back within one scale (half a scale on the
 * side of the largest magnitude), and within 8 times what rounding the scale to F16 took away.
 * Encoding decoded values gives the same block, unless its scale has rounded to zero.
 */
final class Q4Codec extends BlockwiseCodec implements WholeCodec {

  private static final int LENGTH = 32;
  private static final int ZERO_Q = 8;

  Q4Codec() {
    super(LENGTH, 18, ZERO_Q);
  }

  @Override
  void decodeBlock(MemorySegment stored, long at, float[] values, int valuesAt) {
    float scale = finiteHalf(stored, at);
    for (int i = 0; i < LENGTH / 2; i++) {
      int pair = unsigned(stored, at + 2 + i);
      values[valuesAt + i] = scale * ((pair & 15) - ZERO_Q);
      values[valuesAt + i + LENGTH / 2] = scale * ((pair >> 4) - ZERO_Q);
    }
  }

  @Override
  public int gridLength() {
    return LENGTH;
  }

  @Override
  public boolean hasLows() {
    return false;
  }

  @Override
  public void read(MemorySegment stored, long at, int[] numbers, float[] steps, float[] lows) {
    steps[0] = finiteHalf(stored, at);
    for (int i = 0; i < LENGTH / 2; i++) {
      int pair = unsigned(stored, at + 2 + i);
      numbers[i] = (pair & 15) - ZERO_Q;
      numbers[i + LENGTH / 2] = (pair >> 4) - ZERO_Q;
    }
  }

  @Override
  void encodeBlock(float[] values, int valuesAt, MemorySegment stored, long at) {
    float largest = 0;
    for (int i = 0; i < LENGTH; i++) {
      if (Math.abs(values[valuesAt + i]) > Math.abs(largest)) {
        largest = values[valuesAt + i];
      }
    }
    putHalf(stored, at, largest / -ZERO_Q);
    float perStep = largest == 0 ? 0 : -ZERO_Q / largest;
    for (int i = 0; i < LENGTH / 2; i++) {
      int low = nearest(values[valuesAt + i] * perStep);
      int high = nearest(values[valuesAt + i + LENGTH / 2] * perStep);
      putByte(stored, at + 2 + i, low | high << 4);
    }
  }

  private static int nearest(float steps) {
    return Math.clamp(Math.round(steps) + ZERO_Q, 0, 15);
  }
}
