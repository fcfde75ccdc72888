package dev.apus.attention.softmax;

import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Levels;

/**
 * How a layer keeps the keys and values of a sequence.
 *
 * @param heads heads of keys
 * @param valueHeads heads of values; key head h reads those of value head {@code h mod valueHeads}
 * @param forgetting query heads of each key head that forget; 0 if none does
 * @param summary what is kept of each whole block of slots besides, or null
 */
record CacheLayout(
    Attention kernel,
    int heads,
    int valueHeads,
    int keyDim,
    int valueDim,
    int forgetting,
    BlockSummary summary) {

  CacheLayout(
      Attention kernel, int heads, int keyDim, int valueDim, int forgetting, BlockSummary summary) {
    this(kernel, heads, heads, keyDim, valueDim, forgetting, summary);
  }

  CacheLayout(Attention kernel, int heads, int keyDim, int valueDim) {
    this(kernel, heads, heads, keyDim, valueDim, 0, null);
  }

  CacheLayout(Attention kernel, int heads, int keyDim, int valueDim, int forgetting) {
    this(kernel, heads, heads, keyDim, valueDim, forgetting, null);
  }

  /** How slots are kept that have not settled. */
  CacheLayout recent() {
    return kernel.recent() == kernel
        ? this
        : new CacheLayout(
            kernel.recent(), heads, valueHeads, keyDim, valueDim, forgetting, summary);
  }

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

  /** Bytes of what a page of so many slots remembers of forgetting in one head. */
  long levelBytes(int slots) {
    return forgetting == 0 ? 0 : Levels.bytes(forgetting, slots);
  }

  /** Bytes that one more token adds, on average over a full page. */
  long bytesPerToken() {
    long own = bytes(CachePage.SLOTS) / CachePage.SLOTS;
    return summary == null
        ? own
        : own + Math.ceilDiv(summary.layout(this).bytesPerToken(), summary.slots());
  }

  /** The same; 0 where another token goes for each. */
  long bytesPerToken(Reach reach) {
    return reach.isBounded() ? 0 : bytesPerToken();
  }

  /** Bytes that are kept at most where tokens are forgotten or settle; 0 where neither is so. */
  long windowBytes(Reach reach) {
    boolean settles = kernel.format().settles();
    long recent = settles ? recent().bytes(CachePage.SLOTS) : 0;
    return recent + reach.mostPages() * bytes(CachePage.SLOTS);
  }

  /** Bytes of all heads, without those of summaries. */
  long bytes(int slots) {
    return heads * (keyBytes(slots) + levelBytes(slots)) + valueHeads * valueBytes(slots);
  }
}
