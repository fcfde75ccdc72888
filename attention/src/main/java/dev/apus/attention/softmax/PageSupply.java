package dev.apus.attention.softmax;

import static dev.apus.attention.softmax.CachePage.SLOTS;

/** Makes the pages that a cache grows by. */
final class PageSupply {

  private static final int FIRST_SLOTS = 64;

  private final CacheLayout layout;
  private final Reach reach;
  private final int limit;
  private CacheSlab slab;

  /**
   * @param limit the most slots that are meant to be needed
   */
  PageSupply(CacheLayout layout, Reach reach, int limit) {
    this.layout = layout;
    this.reach = reach;
    this.limit = limit;
  }

  /**
   * A page for one span of slots.
   *
   * @param present pages that the cache has
   */
  CachePage page(int index, int slots, int present) {
    if (slots < SLOTS) {
      return new CachePage(layout, index, slots);
    }
    if (slab == null || slab.isTaken()) {
      int ahead = reach.isBounded() ? reach.mostPages() / 16 : present / 2;
      CacheSlab next = CacheSlab.next(layout, ahead);
      close();
      slab = next;
    }
    return new CachePage(layout, index, slots, slab);
  }

  /** How large a page should be of which {@code needed} slots are needed. */
  int slots(int index, int present, int needed) {
    long rest = limit - (long) index * SLOTS;
    int most = rest <= 0 ? SLOTS : layout.blocks((int) Math.min(SLOTS, rest));
    int first = Math.max(FIRST_SLOTS, Math.max(present, needed));
    int wanted = index > 0 ? SLOTS : Integer.highestOneBit(first - 1) << 1;
    return Math.max(layout.blocks(needed), Math.min(most, wanted));
  }

  /** Memory that was taken ahead. */
  long restBytes() {
    return slab == null ? 0 : slab.restBytes();
  }

  /** Gives back what was taken ahead. */
  void close() {
    if (slab != null) {
      slab.release();
      slab = null;
    }
  }
}
