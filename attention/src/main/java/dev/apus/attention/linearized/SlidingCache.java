package dev.apus.attention.linearized;

import dev.apus.core.model.RecurrentState;
import dev.apus.core.model.RecurrentState.Region;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Visited;
import java.lang.foreign.MemorySegment;

/**
 * Keys and values of a sequence's last tokens, in two regions of its state with a piece for each
 * head. A token's slot is its position; slots lie in blocks, of which the first goes when no token
 * to come sees it.
 *
 * @param keys which region of the states holds the keys; the next one holds the values
 * @param dim values of a head's key or value
 * @param window how many tokens back a token sees, itself included
 */
record SlidingCache(Attention kernel, int keys, int heads, int dim, int window) {

  /** Tokens that are appended at a time, at most. */
  static final int MOST = 64;

  private int slots() {
    int block = kernel.slotGranularity();
    return Math.ceilDiv(window + MOST + block, block) * block;
  }

  Region keyMemory() {
    return new Region(heads, kernel.keyBytes(dim, slots()) / Float.BYTES);
  }

  Region valueMemory() {
    return new Region(heads, kernel.valueBytes(dim, slots()) / Float.BYTES);
  }

  /** The first slot that is there when the token at this position is to come. */
  private int first(int position) {
    int block = kernel.slotGranularity();
    return Math.max(0, position - window + 1) / block * block;
  }

  /** What {@code rows} tokens from this position on see. */
  Visited visited(int position, int rows) {
    int[] range = {Math.max(0, position - window + 1), position + rows};
    return new Visited(range, 1, true, window);
  }

  /** Where slots of a head lie when the token at this position is to come. */
  Piece piece(RecurrentState state, int head, int position) {
    int first = first(position);
    return new Piece(
        state.segment(),
        state.at(keys, head) - kernel.keyBytes(dim, first),
        state.segment(),
        state.at(keys + 1, head) - kernel.valueBytes(dim, first));
  }

  /** Stores keys and values of a head, those of the token at {@code position} first. */
  void append(RecurrentState state, int head, int position, Matrix k, Matrix v, int row, int rows) {
    Piece at = piece(state, head, position);
    for (int i = 0; i < rows; i++) {
      int kAt = k.at(row + i) + head * dim;
      int vAt = v.at(row + i) + head * dim;
      kernel.storeKeys(k.data(), kAt, dim, at.keys(), at.keysAt(), position + i);
      kernel.storeValues(v.data(), vAt, dim, at.values(), at.valuesAt(), position + i);
    }
  }

  /** Drops what no token after the {@code rows} that were appended last sees. */
  void drop(RecurrentState state, int head, int position, int rows) {
    int gone = first(position + rows) - first(position);
    if (gone > 0) {
      int stay = slots() - gone;
      MemorySegment memory = state.segment();
      long at = state.at(keys, head);
      long bytes = kernel.keyBytes(dim, stay);
      MemorySegment.copy(memory, at + kernel.keyBytes(dim, gone), memory, at, bytes);
      at = state.at(keys + 1, head);
      bytes = kernel.valueBytes(dim, stay);
      MemorySegment.copy(memory, at + kernel.valueBytes(dim, gone), memory, at, bytes);
    }
  }
}
