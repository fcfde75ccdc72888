package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * {@link WeightFormat#Q6_K}: sixteen sub-blocks of 16, each with a signed 8-bit scale of its own;
 * {@code value = (scale · scaleⱼ) · (q − 32)}.
 *
 * <p>Each half of 128 values holds four quarters; value {@code 32k + l} of a half is value l of
 * quarter k:
 *
 * <pre>
 *   bytes 64h + l        low four bits of quarter 0, then of quarter 2
 *   bytes 64h + 32 + l   low four bits of quarter 1, then of quarter 3
 *   bytes 128 + 32h + l  the upper two bits of quarters 0, 1, 2, 3, from the lowest bit on
 *   bytes 192…207        scaleⱼ
 *   bytes 208…209        scale, F16
 * </pre>
 *
 * <p>All values are NaN where the scale is not finite. Encoding fits the scale of every sub-block
 * by least squares. A value comes back within one and a half steps, where a step is the largest
 * magnitude of the whole block divided by 32.
 */
final class Q6kCodec extends BlockwiseCodec implements WholeCodec {

  private static final int LENGTH = 256;
  private static final int SUB = 16;
  private static final int SUBS = LENGTH / SUB;
  private static final int BYTES = 210;
  private static final int UPPER_AT = 128;
  private static final int SCALES_AT = 192;
  private static final int SCALE_AT = 208;
  private static final int ZERO_Q = 32;
  private static final int LARGEST_SCALE = 127;

  Q6kCodec() {
    super(LENGTH, BYTES, LARGEST_SCALE);
  }

  @Override
  void decodeBlock(MemorySegment stored, long at, float[] values, int valuesAt) {
    float scale = finiteHalf(stored, at + SCALE_AT);
    for (int i = 0; i < LENGTH; i++) {
      values[valuesAt + i] = step(stored, at, scale, i / SUB) * number(stored, at, i);
    }
  }

  private static float step(MemorySegment stored, long at, float scale, int sub) {
    return scale * stored.get(ValueLayout.JAVA_BYTE, at + SCALES_AT + sub);
  }

  private static int number(MemorySegment stored, long at, int i) {
    int lower = unsigned(stored, at + lowerAt(i)) >> lowerShift(i) & 15;
    int upper = unsigned(stored, at + upperAt(i)) >> upperShift(i) & 3;
    return (upper << 4 | lower) - ZERO_Q;
  }

  @Override
  public int gridLength() {
    return SUB;
  }

  @Override
  public boolean hasLows() {
    return false;
  }

  @Override
  public void read(MemorySegment stored, long at, int[] numbers, float[] steps, float[] lows) {
    float scale = finiteHalf(stored, at + SCALE_AT);
    for (int j = 0; j < SUBS; j++) {
      steps[j] = step(stored, at, scale, j);
    }
    for (int i = 0; i < LENGTH; i++) {
      numbers[i] = number(stored, at, i);
    }
  }

  @Override
  void encodeBlock(float[] values, int valuesAt, MemorySegment stored, long at) {
    stored.asSlice(at, BYTES).fill((byte) 0);
    float[] steps = new float[SUBS];
    float largest = 0;
    for (int j = 0; j < SUBS; j++) {
      steps[j] = SymmetricFit.step(values, valuesAt + j * SUB, SUB, ZERO_Q);
      largest = Math.max(largest, Math.abs(steps[j]));
    }
    float scale = putHalf(stored, at + SCALE_AT, largest / LARGEST_SCALE);
    for (int j = 0; j < SUBS; j++) {
      int scaleJ = scale == 0 ? 0 : Math.round(steps[j] / scale);
      scaleJ = Math.clamp(scaleJ, -LARGEST_SCALE, LARGEST_SCALE);
      putByte(stored, at + SCALES_AT + j, scaleJ);
      float perStep = scaleJ == 0 ? 0 : 1 / (scale * scaleJ);
      for (int i = j * SUB; i < (j + 1) * SUB; i++) {
        put(stored, at, i, SymmetricFit.q(values[valuesAt + i] * perStep, ZERO_Q) + ZERO_Q);
      }
    }
  }

  private static void put(MemorySegment stored, long at, int i, int q) {
    long lowerAt = at + lowerAt(i);
    putByte(stored, lowerAt, unsigned(stored, lowerAt) | (q & 15) << lowerShift(i));
    long upperAt = at + upperAt(i);
    putByte(stored, upperAt, unsigned(stored, upperAt) | q >> 4 << upperShift(i));
  }

  private static int lowerAt(int i) {
    return i / 128 * 64 + i % 64;
  }

  private static int lowerShift(int i) {
    return i % 128 / 64 * 4;
  }

  private static int upperAt(int i) {
    return UPPER_AT + i / 128 * 32 + i % 32;
  }

  private static int upperShift(int i) {
    return i % 128 / 32 * 2;
  }
}
