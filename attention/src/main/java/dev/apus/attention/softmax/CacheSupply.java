package dev.apus.attention.softmax;

import static dev.apus.attention.softmax.CachePage.SLOTS;

/** Where a cache gets its pages: the first grows with a sequence, later ones come from slabs. */
final class CacheSupply {

  private static final int FIRST_SLOTS = 64;

  private final CacheLayout layout;
  private final Reach reach;
  private final int limit;
  private CacheSlab slab;

  /**
   * @param reach what tokens to come may ask for
   * @param limit the most tokens the sequence is meant to have
   */
  CacheSupply(CacheLayout layout, Reach reach, int limit) {
    this.layout = layout;
    this.reach = reach;
    this.limit = limit;
  }

  /** The page of a span of which {@code needed} slots are needed, behind those that are there. */
  CachePage next(int index, int needed) {
    int slots = slots(index, 0, needed);
    if (slots < SLOTS) {
      return new CachePage(layout, index, slots);
    }
    if (slab == null || slab.isTaken()) {
      int ahead = reach.isBounded() ? reach.mostPages() / 16 : index / 2;
      CacheSlab next = CacheSlab.next(layout, ahead);
      release();
      slab = next;
    }
    return new CachePage(layout, index, slots, slab);
  }

  /** The page of a span that is to settle, in memory of its own. */
  CachePage recent(int index, int needed) {
    return new CachePage(layout.recent(), index, slots(index, 0, needed));
  }

  /** How large a page should be of which {@code needed} slots are needed. */
  int slots(int index, int present, int needed) {
    long rest = limit - (long) index * SLOTS;
    int most = rest <= 0 ? SLOTS : layout.blocks((int) Math.min(SLOTS, rest));
    int first = Math.max(FIRST_SLOTS, Math.max(present, needed));
    boolean grows = index == 0 || layout.kernel().format().settles();
    int wanted = !grows ? SLOTS : Integer.highestOneBit(first - 1) << 1;
    return Math.max(layout.blocks(needed), Math.min(most, wanted));
  }

  /** Memory that no page has taken. */
  long restBytes() {
    return slab == null ? 0 : slab.restBytes();
  }

  void release() {
    if (slab != null) {
      slab.release();
      slab = null;
    }
  }
}
