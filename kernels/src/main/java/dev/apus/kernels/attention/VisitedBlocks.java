package dev.apus.kernels.attention;

import dev.apus.kernels.attention.Attention.Visited;

/** Walks through the blocks of sixteen slots that hold visited slots, in ascending order. */
final class VisitedBlocks {

  static final int SLOTS = 16;

  /** The mask of a block whose slots are all seen. */
  static final int ALL = (1 << SLOTS) - 1;

  private final Visited visited;
  private final long first;
  private final long end;
  private int range;

  /** Where the next block begins at the earliest. */
  private long slot;

  private int block;
  private int mask;

  /** A walk through the slots that a row at one of {@code firstPosition … lastPosition} may see. */
  VisitedBlocks(Visited visited, int firstPosition, int lastPosition) {
    this.visited = visited;
    this.first = firstSeen(visited, firstPosition);
    this.end = endSeen(visited, lastPosition);
  }

  /** Goes to the next block that has a visited slot; false if there is none. */
  boolean next() {
    mask = 0;
    for (; range < visited.count(); range++) {
      long from = Math.max(Math.max(visited.ranges()[2 * range], first), slot);
      long to = Math.min(visited.ranges()[2 * range + 1], end);
      if (from >= to) {
        continue;
      }
      if (mask != 0 && from / SLOTS != block) {
        break;
      }
      block = (int) (from / SLOTS);
      long blockEnd = (block + 1L) * SLOTS;
      mask |= bits(from, Math.min(to, blockEnd), block);
      if (to > blockEnd) {
        break;
      }
    }
    slot = (block + 1L) * SLOTS;
    return mask != 0;
  }

  int block() {
    return block;
  }

  /** The visited slots of the block, its first slot in the lowest bit. */
  int mask() {
    return mask;
  }

  /** The slots of a block that a row at {@code position} sees, of those in {@code mask}. */
  static int seen(int mask, int block, Visited visited, int position) {
    long from = Math.max(firstSeen(visited, position), (long) block * SLOTS);
    long to = Math.min(endSeen(visited, position), (block + 1L) * SLOTS);
    return from < to ? mask & bits(from, to, block) : 0;
  }

  private static long firstSeen(Visited visited, int position) {
    return visited.window() > 0 ? Math.max(0, (long) position - visited.window() + 1) : 0;
  }

  private static long endSeen(Visited visited, int position) {
    if (visited.causal()) {
      return position + 1L;
    }
    return visited.window() > 0 ? (long) position + visited.window() : Long.MAX_VALUE;
  }

  private static int bits(long from, long to, int block) {
    int low = (int) (from - (long) block * SLOTS);
    int high = (int) (to - (long) block * SLOTS);
    return (1 << high) - (1 << low);
  }
}
