package dev.apus.attention.softmax;

import dev.apus.kernels.attention.Attention.Visited;
import java.util.Arrays;
import java.util.BitSet;

/** Slots in the making: ranges that are added in any order, of which some may be taken away. */
final class SlotRanges {

  /** Pairs {@code [from, to)}, packed so that they sort by where they begin. */
  private long[] ranges = new long[4];

  private int count;

  /** Adds the slots {@code [from, to)} as far as there are such. */
  SlotRanges add(int from, int to) {
    int first = Math.max(0, from);
    if (first < to) {
      ranges = count == ranges.length ? Arrays.copyOf(ranges, 2 * count) : ranges;
      ranges[count++] = (long) first << 32 | to;
    }
    return this;
  }

  /** Adds the slots {@code from, from + step, …} before {@code to}. */
  SlotRanges addEvery(int step, int from, int to) {
    for (long slot = from; slot < to; slot += step) {
      add((int) slot, (int) slot + 1);
    }
    return this;
  }

  /** The slots of these ranges that are not among some others, which are in ascending order. */
  SlotRanges without(int[] slots) {
    SlotRanges rest = new SlotRanges();
    for (int i = 0; i < count; i++) {
      int next = (int) (ranges[i] >>> 32);
      int to = (int) ranges[i];
      int at = Arrays.binarySearch(slots, next);
      for (at = at < 0 ? -at - 1 : at; at < slots.length && slots[at] < to; at++) {
        rest.add(next, slots[at]);
        next = slots[at] + 1;
      }
      rest.add(next, to);
    }
    return rest;
  }

  /** The slots before {@code end} that are not gone. */
  static SlotRanges without(BitSet gone, int end) {
    SlotRanges rest = new SlotRanges();
    for (int from = gone.nextClearBit(0), to; from < end; from = gone.nextClearBit(to)) {
      int next = gone.nextSetBit(from);
      to = next < 0 ? end : Math.min(end, next);
      rest.add(from, to);
    }
    return rest;
  }

  /**
   * The slots before {@code end}, each once.
   *
   * @return null if there are none
   */
  Visited visited(int end, boolean causal, int window) {
    Arrays.sort(ranges, 0, count);
    int[] pairs = new int[2 * count];
    int last = -1;
    for (int i = 0; i < count; i++) {
      int from = (int) (ranges[i] >>> 32);
      int to = Math.min(end, (int) ranges[i]);
      if (from < to && last >= 0 && from <= pairs[2 * last + 1]) {
        pairs[2 * last + 1] = Math.max(pairs[2 * last + 1], to);
      } else if (from < to) {
        last++;
        pairs[2 * last] = from;
        pairs[2 * last + 1] = to;
      }
    }
    return last < 0 ? null : new Visited(pairs, last + 1, causal, window);
  }
}
