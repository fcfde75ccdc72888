package dev.apus.kernels.block;

import static dev.apus.kernels.block.BlockwiseCodec.putByte;
import static dev.apus.kernels.block.BlockwiseCodec.unsigned;

import java.lang.foreign.MemorySegment;

/**
 * Eight pairs of 6-bit numbers, a scale and a minimum for each sub-block, in twelve bytes.
 *
 * <pre>
 *   byte j       j &lt; 4: scaleⱼ in the low six bits, the top two bits of scaleⱼ₊₄ above them
 *   byte 4 + j   j &lt; 4: likewise for the minimum
 *   byte 8 + j   j &lt; 4: the low four bits of scaleⱼ₊₄, then those of minimumⱼ₊₄
 * </pre>
 */
final class SixBits {

  static final int LARGEST = 63;

  private SixBits() {}

  static int scale(MemorySegment stored, long at, int j) {
    return j < 4
        ? unsigned(stored, at + j) & LARGEST
        : unsigned(stored, at + 4 + j) & 15 | unsigned(stored, at + j - 4) >> 6 << 4;
  }

  static int minimum(MemorySegment stored, long at, int j) {
    return j < 4
        ? unsigned(stored, at + 4 + j) & LARGEST
        : unsigned(stored, at + 4 + j) >> 4 | unsigned(stored, at + j) >> 6 << 4;
  }

  /** Adds a pair to bytes that are still zero where it goes. */
  static void put(MemorySegment stored, long at, int j, int scale, int minimum) {
    if (j < 4) {
      merge(stored, at + j, scale);
      merge(stored, at + 4 + j, minimum);
    } else {
      merge(stored, at + 4 + j, scale & 15 | (minimum & 15) << 4);
      merge(stored, at + j - 4, scale >> 4 << 6);
      merge(stored, at + j, minimum >> 4 << 6);
    }
  }

  /** The multiple of {@code unit} nearest to {@code value}; 0 where the unit has vanished. */
  static int nearest(float value, float unit) {
    return unit == 0 ? 0 : Math.clamp(Math.round(value / unit), 0, LARGEST);
  }

  private static void merge(MemorySegment stored, long at, int bits) {
    putByte(stored, at, unsigned(stored, at) | bits);
  }
}
