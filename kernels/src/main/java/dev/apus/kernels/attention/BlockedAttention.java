package dev.apus.kernels.attention;

import static java.lang.foreign.ValueLayout.JAVA_FLOAT_UNALIGNED;

import dev.apus.kernels.math.ScalarMath;
import java.lang.foreign.MemorySegment;

/**
 * Where keys and values lie. The keys of sixteen slots are a block {@code [headDim][16]}, so that a
 * vector holds one coordinate of neighbouring keys and a score needs no sum across its lanes;
 * values are rows {@code [slot][valueDim]}.
 */
abstract class BlockedAttention implements Attention {

  static final int SLOTS = VisitedBlocks.SLOTS;

  @Override
  public final int slotGranularity() {
    return SLOTS;
  }

  @Override
  public final long keyBytes(int headDim, int slots) {
    return Math.multiplyExact((long) headDim * Float.BYTES, slots);
  }

  @Override
  public final long valueBytes(int valueDim, int slots) {
    return Math.multiplyExact((long) valueDim * Float.BYTES, slots);
  }

  @Override
  public final void storeKeys(
      float[] k, int kAt, int headDim, MemorySegment keys, long keysAt, int slot) {
    long at = keysAt + blockAt(slot / SLOTS, headDim) + slot % SLOTS * 4L;
    for (int d = 0; d < headDim; d++) {
      keys.set(JAVA_FLOAT_UNALIGNED, at + d * SLOTS * 4L, k[kAt + d]);
    }
  }

  @Override
  public final void storeValues(
      float[] v, int vAt, int valueDim, MemorySegment values, long valuesAt, int slot) {
    MemorySegment.copy(
        v, vAt, values, JAVA_FLOAT_UNALIGNED, valuesAt + 4L * slot * valueDim, valueDim);
  }

  /** Byte offset of a block of keys. */
  static long blockAt(int block, int headDim) {
    return (long) block * headDim * SLOTS * Float.BYTES;
  }

  /**
   * What a query's sum of weighted values is multiplied by at the end: one over the denominator.
   *
   * @param max the greatest score, relative to which the sums are held
   * @param sum of the partial denominators
   */
  static float lastFactor(float max, float sum, float[] sinks, int head) {
    if (sinks == null) {
      return 1 / sum;
    }
    float newMax = Math.max(max, sinks[head]);
    float kept = ScalarMath.exp(max - newMax);
    return kept / Math.fma(sum, kept, ScalarMath.exp(sinks[head] - newMax));
  }
}
