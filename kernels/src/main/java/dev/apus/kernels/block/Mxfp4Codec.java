package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;

/**
 * {@link WeightFormat#MXFP4}: four-bit floats (sign, two bits of exponent, one of mantissa) that
 * share a power of two; {@code value = 2^(e − 127) · E2M1}.
 *
 * <pre>
 *   byte 0       e
 *   byte 1 + i   value i in the low four bits, value i + 16 in the high four
 * </pre>
 *
 * <p>All values are NaN where e is 255, as the OCP specification wants it, and where it is above
 * 252, so that not all values were floats. Encoding tries the two powers of two at which the
 * largest magnitude may lie and keeps the one with the smaller sum of squared errors. A value comes
 * back within a third of the block's largest magnitude, and within 2⁻¹²⁹ of it where that is tinier
 * still. Encoding decoded values gives the same values.
 */
final class Mxfp4Codec extends BlockwiseCodec implements WholeCodec {

  private static final int LENGTH = 32;
  private static final int SIGN = 8;
  private static final int EXPONENT_BIAS = 127;

  /** The exponent of E2M1's largest value, 6. */
  private static final int LARGEST_EXPONENT = 2;

  /** Above this, 6 · 2^(e − 127) is no float any more. */
  private static final int LARGEST_E = 252;

  /** Twice the eight magnitudes, so that they are integers; the scale is halved instead. */
  private static final int[] DOUBLED = {0, 1, 2, 3, 4, 6, 8, 12};

  Mxfp4Codec() {
    super(LENGTH, 17, Float.POSITIVE_INFINITY);
  }

  @Override
  void decodeBlock(MemorySegment stored, long at, float[] values, int valuesAt) {
    float scale = step(stored, at);
    for (int i = 0; i < LENGTH / 2; i++) {
      int pair = unsigned(stored, at + 1 + i);
      values[valuesAt + i] = scale * doubled(pair & 15);
      values[valuesAt + i + LENGTH / 2] = scale * doubled(pair >> 4);
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
    steps[0] = step(stored, at);
    for (int i = 0; i < LENGTH / 2; i++) {
      int pair = unsigned(stored, at + 1 + i);
      numbers[i] = doubled(pair & 15);
      numbers[i + LENGTH / 2] = doubled(pair >> 4);
    }
  }

  @Override
  void encodeBlock(float[] values, int valuesAt, MemorySegment stored, long at) {
    float largest = 0;
    for (int i = 0; i < LENGTH; i++) {
      largest = Math.max(largest, Math.abs(values[valuesAt + i]));
    }
    int lower = Math.max(0, Math.getExponent(largest) - LARGEST_EXPONENT + EXPONENT_BIAS);
    int upper = Math.min(lower + 1, LARGEST_E);
    int e = error(values, valuesAt, upper) < error(values, valuesAt, lower) ? upper : lower;
    float scale = halfScale(e);
    putByte(stored, at, e);
    for (int i = 0; i < LENGTH / 2; i++) {
      int low = nearest(values[valuesAt + i] / scale);
      int high = nearest(values[valuesAt + i + LENGTH / 2] / scale);
      putByte(stored, at + 1 + i, low | high << 4);
    }
  }

  private static float step(MemorySegment stored, long at) {
    int e = unsigned(stored, at);
    return e > LARGEST_E ? Float.NaN : halfScale(e);
  }

  /** 2^(e − 128); subnormal for the two smallest. */
  private static float halfScale(int e) {
    return Float.intBitsToFloat(e < 2 ? 0x0020_0000 << e : e - 1 << 23);
  }

  private static int doubled(int code) {
    int magnitude = DOUBLED[code & SIGN - 1];
    return code < SIGN ? magnitude : -magnitude;
  }

  private static int nearest(float doubled) {
    float magnitude = Math.abs(doubled);
    int code = 0;
    while (code < SIGN - 1 && magnitude > (DOUBLED[code] + DOUBLED[code + 1]) / 2f) {
      code++;
    }
    return doubled < 0 && code > 0 ? code | SIGN : code;
  }

  private static double error(float[] values, int at, int e) {
    float scale = halfScale(e);
    double sum = 0;
    for (int i = at; i < at + LENGTH; i++) {
      double miss = (double) scale * doubled(nearest(values[i] / scale)) - values[i];
      sum += miss * miss;
    }
    return sum;
  }
}
