package dev.apus.attention.softmax;

import static dev.apus.kernels.attention.Attention.SPAN;

import dev.apus.core.compute.Pass;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import java.lang.foreign.MemorySegment;

/**
 * Keys and values that are put together out of scattered rows of a cache, one span at a time: a
 * span stays in a core's cache while all heads read it.
 *
 * @param rows what a cache holds as values, {@code [value, rest]}
 * @param slots of which slots
 */
record GatheredKeys(Attention kernel, Traits traits, Stored rows, int[] slots, int count)
    implements Tile.Keys {

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
      kernel.gather(traits, rows, slots, 0, from, Math.min(count, from + SPAN), piece);
      return piece;
    };
  }
}
