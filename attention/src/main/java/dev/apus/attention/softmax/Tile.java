package dev.apus.attention.softmax;

import static dev.apus.kernels.attention.Attention.SPAN;

import dev.apus.kernels.attention.Attention.Visited;

/**
 * One run's rows {@code [from, from + rows)} of a batch, for all query heads of a key–value head.
 * It is attended to in parts: the spans of the slots that every row sees, and then the spans of
 * those that a window goes over.
 *
 * @param position of the first row
 * @param prefixEnd the slot after those that every row sees, whatever its window; 0 for none
 * @param firstSlot that some row sees, from {@code prefixEnd} on
 * @param endSlot the slot after the last that some row sees
 */
record Tile(
    KeyValueCache cache,
    int from,
    int rows,
    int head,
    int position,
    int prefixEnd,
    int firstSlot,
    int endSlot) {

  private int prefixSpans() {
    return Math.ceilDiv(prefixEnd, SPAN);
  }

  int parts() {
    int spans = firstSlot < endSlot ? (endSlot - 1) / SPAN - firstSlot / SPAN + 1 : 0;
    return prefixSpans() + spans;
  }

  /** The span that a part is. */
  int span(int part) {
    return part < prefixSpans() ? part : firstSlot / SPAN + part - prefixSpans();
  }

  /** What the rows see in a part. */
  Visited visited(int part, boolean causal, int window) {
    return part < prefixSpans()
        ? new Visited(new int[] {0, prefixEnd}, 1, causal, 0)
        : new Visited(new int[] {firstSlot, endSlot}, 1, causal, window);
  }
}
