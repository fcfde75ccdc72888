package dev.apus.kernels.attention;

import dev.apus.kernels.attention.Attention.Visited;

/** Which slots rows see, within some slots. */
final class VisitedSlots {

  /** Pairs {@code [from, to)} that some row may see, ascending. */
  final int[] ranges;

  final int count;
  private final Visited visited;

  /** The visited slots of {@code [from, to)} that rows at these positions may see. */
  VisitedSlots(Visited visited, int firstPosition, int lastPosition, int from, int to) {
    this.visited = visited;
    int low = Math.max(from, first(firstPosition));
    int high = Math.min(to, end(lastPosition));
    int[] all = visited.ranges();
    int range = firstBehind(low);
    int last = range;
    while (last < visited.count() && all[2 * last] < high) {
      last++;
    }
    int[] clipped = new int[2 * (last - range)];
    int pairs = 0;
    for (; range < last; range++) {
      int start = Math.max(low, all[2 * range]);
      int end = Math.min(high, all[2 * range + 1]);
      if (start < end) {
        clipped[2 * pairs] = start;
        clipped[2 * pairs++ + 1] = end;
      }
    }
    this.ranges = clipped;
    this.count = pairs;
  }

  /** The first range that ends behind a slot; how many there are if none does. */
  private int firstBehind(int slot) {
    int low = 0;
    int high = visited.count();
    while (low < high) {
      int middle = (low + high) >>> 1;
      if (visited.ranges()[2 * middle + 1] > slot) {
        high = middle;
      } else {
        low = middle + 1;
      }
    }
    return low;
  }

  /** The first visited slot from {@code slot} on; −1 if there is none. */
  int next(int slot) {
    for (int i = 0; i < count; i++) {
      if (slot < ranges[2 * i + 1]) {
        return Math.max(slot, ranges[2 * i]);
      }
    }
    return -1;
  }

  /** The slot after the last visited one before {@code slot}; 0 if there is none. */
  int last(int slot) {
    for (int i = count - 1; i >= 0; i--) {
      if (ranges[2 * i] < slot) {
        return Math.min(slot, ranges[2 * i + 1]);
      }
    }
    return 0;
  }

  /** The first slot that a row at this position may see, whatever is visited. */
  int first(int position) {
    return visited.window() > 0 ? Math.max(0, position - visited.window() + 1) : 0;
  }

  /** The slot after the last that a row at this position may see, whatever is visited. */
  int end(int position) {
    long end =
        visited.causal()
            ? position + 1L
            : visited.window() > 0 ? (long) position + visited.window() : Integer.MAX_VALUE;
    return (int) Math.min(end, Integer.MAX_VALUE);
  }
}
