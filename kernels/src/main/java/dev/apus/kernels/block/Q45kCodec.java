package dev.apus.kernels.block;

import java.lang.foreign.MemorySegment;

/**
 * {@link WeightFormat#Q4_K} and {@link WeightFormat#Q5_K}: eight sub-blocks of 32, each with a
 * 6-bit scale and a 6-bit minimum of its own; {@code value = (scale · scaleⱼ) · q − (minimum ·
 * minimumⱼ)}, rounded once.
 *
 * <pre>
 *   bytes 0…1    scale, F16
 *   bytes 2…3    minimum, F16
 *   bytes 4…15   scaleⱼ and minimumⱼ: see {@link SixBits}
 *   32 bytes     Q5_K only: bit j of byte l is the fifth bit of value l of sub-block j
 *   128 bytes    byte 32c + l: value l of sub-block 2c in the low four bits, of 2c + 1 in the high
 * </pre>
 *
 * <p>Encoding fits scale and minimum of every sub-block by least squares. A value comes back within
 * one and a half steps, where a step is the widest range of a sub-block (zero included) divided by
 * 15 for Q4_K and by 31 for Q5_K, plus 1/60 of the lowest value's magnitude.
 */
final class Q45kCodec extends BlockwiseCodec implements WholeCodec {

  private static final int LENGTH = 256;
  private static final int SUB = 32;
  private static final int SUBS = LENGTH / SUB;
  private static final int SCALES_AT = 4;
  private static final int FIFTH_BITS_AT = 16;

  private final int largestQ;
  private final int nibblesAt;

  /**
   * @param bits of one value, 4 or 5
   */
  Q45kCodec(int bits) {
    // Half of what the scales reach, because a fitted grid may begin a little below the values.
    super(LENGTH, 16 + LENGTH * bits / 8, SixBits.LARGEST / 2f);
    this.largestQ = (1 << bits) - 1;
    this.nibblesAt = bits == 5 ? FIFTH_BITS_AT + SUB : FIFTH_BITS_AT;
  }

  @Override
  void decodeBlock(MemorySegment stored, long at, float[] values, int valuesAt) {
    for (int j = 0; j < SUBS; j++) {
      float step = step(stored, at, j);
      float low = low(stored, at, j);
      for (int l = 0; l < SUB; l++) {
        values[valuesAt + j * SUB + l] = step * q(stored, at, j, l) - low;
      }
    }
  }

  private static float step(MemorySegment stored, long at, int j) {
    return half(stored, at) * SixBits.scale(stored, at + SCALES_AT, j);
  }

  /** What is subtracted from the values of a sub-block. */
  private static float low(MemorySegment stored, long at, int j) {
    return half(stored, at + 2) * SixBits.minimum(stored, at + SCALES_AT, j);
  }

  private int q(MemorySegment stored, long at, int j, int l) {
    int pair = unsigned(stored, at + nibblesAt + j / 2 * SUB + l);
    int nibble = pair >> 4 * (j % 2) & 15;
    return nibblesAt == FIFTH_BITS_AT
        ? nibble
        : nibble | (unsigned(stored, at + FIFTH_BITS_AT + l) >> j & 1) << 4;
  }

  @Override
  public int gridLength() {
    return SUB;
  }

  @Override
  public boolean hasLows() {
    return true;
  }

  /** Numbers are less by half of what quants reach, and lows greater by as many steps. */
  @Override
  public void read(MemorySegment stored, long at, int[] numbers, float[] steps, float[] lows) {
    int zero = (largestQ + 1) / 2;
    for (int j = 0; j < SUBS; j++) {
      steps[j] = step(stored, at, j);
      lows[j] = zero * steps[j] - low(stored, at, j);
      for (int l = 0; l < SUB; l++) {
        numbers[j * SUB + l] = q(stored, at, j, l) - zero;
      }
    }
  }

  @Override
  void encodeBlock(float[] values, int valuesAt, MemorySegment stored, long at) {
    stored.asSlice(at, nibblesAt + LENGTH / 2).fill((byte) 0);
    float[] steps = new float[SUBS];
    float[] lows = new float[SUBS];
    for (int j = 0; j < SUBS; j++) {
      AffineFit fit = AffineFit.of(values, valuesAt + j * SUB, SUB, largestQ);
      steps[j] = fit.step();
      lows[j] = fit.low();
    }
    float scale = putHalf(stored, at, largest(steps) / SixBits.LARGEST);
    float minimum = putHalf(stored, at + 2, largest(lows) / SixBits.LARGEST);
    for (int j = 0; j < SUBS; j++) {
      int scaleJ = SixBits.nearest(steps[j], scale);
      int minimumJ = SixBits.nearest(lows[j], minimum);
      SixBits.put(stored, at + SCALES_AT, j, scaleJ, minimumJ);
      encodeSub(values, valuesAt + j * SUB, scale * scaleJ, minimum * minimumJ, stored, at, j);
    }
  }

  private void encodeSub(
      float[] values, int from, float step, float low, MemorySegment stored, long at, int j) {
    float perStep = step == 0 ? 0 : 1 / step;
    for (int l = 0; l < SUB; l++) {
      int q = Math.clamp(Math.round((values[from + l] + low) * perStep), 0, largestQ);
      long nibbleAt = at + nibblesAt + j / 2 * SUB + l;
      putByte(stored, nibbleAt, unsigned(stored, nibbleAt) | (q & 15) << 4 * (j % 2));
      if (q > 15) {
        long fifthAt = at + FIFTH_BITS_AT + l;
        putByte(stored, fifthAt, unsigned(stored, fifthAt) | 1 << j);
      }
    }
  }

  private static float largest(float[] values) {
    float largest = 0;
    for (float value : values) {
      largest = Math.max(largest, value);
    }
    return largest;
  }
}
