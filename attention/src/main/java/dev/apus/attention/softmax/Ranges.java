package dev.apus.attention.softmax;

import dev.apus.kernels.attention.Attention.Visited;
import java.util.Arrays;
import java.util.BitSet;

/** Visited slots, added in ascending order. */
final class Ranges {

  private int[] pairs = new int[16];
  private int count;

  /** Adds the slots {@code [from, to)}; those that are there already stay there once. */
  Ranges add(int from, int to) {
    int start = count == 0 ? from : Math.max(from, pairs[2 * count - 1]);
    if (start >= to) {
      return this;
    }
    if (count > 0 && pairs[2 * count - 1] == start) {
      pairs[2 * count - 1] = to;
      return this;
    }
    if (2 * count == pairs.length) {
      pairs = Arrays.copyOf(pairs, 2 * pairs.length);
    }
    pairs[2 * count] = start;
    pairs[2 * count++ + 1] = to;
    return this;
  }

  /** The slots before {@code end} but for some. */
  static Ranges without(BitSet gone, int end) {
    var ranges = new Ranges();
    for (int from = gone.nextClearBit(0); from < end; ) {
      int next = gone.nextSetBit(from);
      int to = next < 0 ? end : Math.min(end, next);
      ranges.add(from, to);
      from = gone.nextClearBit(to);
    }
    return ranges;
  }

  /** A visit of these slots, as far as they are not behind a query. */
  Visited visited() {
    return new Visited(Arrays.copyOf(pairs, 2 * count), count, true, 0);
  }
}
