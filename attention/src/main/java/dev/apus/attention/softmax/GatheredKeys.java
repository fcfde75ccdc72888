package dev.apus.attention.softmax;

import static dev.apus.kernels.attention.Attention.SPAN;

import dev.apus.core.compute.Pass;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import java.lang.foreign.MemorySegment;

/**
 * Keys and values that are put together out of scattered slots of a cache, one span at a time: a
 * span stays in a core's cache while all heads read it.
 *
 * @param count how many there are
 */
record GatheredKeys(Attention kernel, Traits traits, int count, Source source)
    implements Tile.Keys {

  /** Where they come from. */
  @FunctionalInterface
  interface Source {

    /** Writes those that become the slots {@code [from, to)} of one span. */
    void write(int from, int to, Piece piece);
  }

  /**
   * Slots of which a cache holds rows as values, {@code [value, rest]}.
   *
   * @param slots which ones
   */
  static GatheredKeys ofRows(Attention kernel, Traits traits, Stored rows, int[] slots, int count) {
    return new GatheredKeys(
        kernel,
        traits,
        count,
        (from, to, piece) -> kernel.gather(traits, rows, slots, 0, from, to, piece));
  }

  /** The slots of some ranges, of which a cache holds keys and values. */
  static GatheredKeys ofRanges(
      Attention kernel, Traits traits, Stored stored, int[] ranges, int count) {
    return new GatheredKeys(
        kernel,
        traits,
        count,
        (from, to, piece) -> kernel.collect(traits, stored, ranges, from, to, piece));
  }

  @Override
  public Stored stored(Pass pass, int worker) {
    long keyBytes = kernel.keyBytes(traits.headDim(), SPAN);
    long valueBytes = kernel.valueBytes(traits.valueDim(), SPAN);
    MemorySegment memory = pass.memory(worker, keyBytes + valueBytes);
    return span -> {
      int from = span * SPAN;
      long keysAt = -kernel.keyBytes(traits.headDim(), from);
      long valuesAt = keyBytes - kernel.valueBytes(traits.valueDim(), from);
      Piece piece = new Piece(memory, keysAt, memory, valuesAt);
      source.write(from, Math.min(count, from + SPAN), piece);
      return piece;
    };
  }
}
