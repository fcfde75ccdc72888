package dev.apus.attention.softmax;

import static dev.apus.attention.softmax.CachePage.SLOTS;

/**
 * Which slots tokens to come may still visit: a cache forgets the others.
 *
 * @param window how many tokens back a token reaches, itself included; 0 for all
 * @param pinned how many of the first slots every token reaches
 */
record Reach(int window, int pinned) {

  /** All slots, always. */
  static final Reach ALL = new Reach(0, 0);

  boolean isBounded() {
    return window > 0;
  }

  /** What either of two layers reaches. */
  Reach or(Reach other) {
    return isBounded() && other.isBounded()
        ? new Reach(Math.max(window, other.window), Math.max(pinned, other.pinned))
        : ALL;
  }

  /** Whether a page is there when this one is the oldest. */
  boolean keeps(int page, int oldest) {
    return page < pinnedPages() || page >= oldest;
  }

  /** Pages before this one are kept whatever the position. */
  int pinnedPages() {
    return Math.ceilDiv(pinned, SLOTS);
  }

  /**
   * The first page, but for pinned ones, that tokens from a position on need. The slot before the
   * position is needed at any rate, because levels go on from it.
   */
  int firstPage(int position) {
    return isBounded() ? Math.max(0, position - Math.max(2, window) + 1) / SLOTS : 0;
  }

  /** The most pages that are needed at any position; 0 if there is no bound. */
  int mostPages() {
    return isBounded() ? pinnedPages() + Math.ceilDiv(Math.max(2, window) - 2, SLOTS) + 1 : 0;
  }
}
