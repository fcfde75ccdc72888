package dev.apus.attention.softmax;

import dev.apus.kernels.attention.Attention;

/** How a layer keeps the keys and values of a sequence. */
record CacheLayout(Attention kernel, int heads, int keyDim, int valueDim) {

  /** Slots are allocated in multiples of this. */
  int granularity() {
    return kernel.slotGranularity();
  }

  /** The least number of whole blocks that hold so many slots. */
  int blocks(int slots) {
    return Math.ceilDiv(slots, granularity()) * granularity();
  }

  long keyBytes(int slots) {
    return kernel.keyBytes(keyDim, slots);
  }

  long valueBytes(int slots) {
    return kernel.valueBytes(valueDim, slots);
  }

  /** Bytes that one more token adds, on average. */
  long bytesPerToken() {
    return bytes(granularity()) / granularity();
  }

  /** Bytes of all heads. */
  long bytes(int slots) {
    return heads * (keyBytes(slots) + valueBytes(slots));
  }
}
