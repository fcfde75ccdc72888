package dev.apus.attention.softmax;

import static dev.apus.kernels.attention.Attention.SPAN;

import dev.apus.kernels.attention.Attention.Visited;

/**
 * One run's rows {@code [from, from + rows)} of a batch, for all query heads of a key–value head.
 * It is attended to in parts: the spans of the slots that every row sees, and then the spans of
 * those that a window goes over.
 *
 * @param position of the first row
 * @param causal whether a row sees only what came before it
 * @param pinnedEnd the slot after those that every row sees, whatever its window; 0 for none
 * @param firstSlot that some row sees, from {@code pinnedEnd} on
 * @param endSlot the slot after the last that some row sees
 */
record Tile(
    KeyValueCache cache,
    int from,
    int rows,
    int head,
    int position,
    boolean causal,
    int pinnedEnd,
    int firstSlot,
    int endSlot) {

  private int pinnedSpans() {
    return Math.ceilDiv(pinnedEnd, SPAN);
  }

  int parts() {
    int spans = firstSlot < endSlot ? (endSlot - 1) / SPAN - firstSlot / SPAN + 1 : 0;
    return pinnedSpans() + spans;
  }

  /** The span that a part is. */
  int span(int part) {
    return part < pinnedSpans() ? part : firstSlot / SPAN + part - pinnedSpans();
  }

  /** What the rows see in a part. */
  Visited visited(int part, int window) {
    return part < pinnedSpans()
        ? new Visited(new int[] {0, pinnedEnd}, 1, causal, 0)
        : new Visited(new int[] {firstSlot, endSlot}, 1, causal, window);
  }
}
