package dev.apus.attention.softmax;

import dev.apus.core.model.NativeFloats;
import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Memory for a few pages, so that it is large enough for huge pages of the system: reading a long
 * cache through small ones takes a quarter longer. It is given back when the last of those who use
 * it, pages and the cache that takes pages from it, has gone.
 */
final class CacheSlab {

  /** Larger slabs would not be faster to read. */
  private static final long ENOUGH_BYTES = NativeFloats.HUGE_BYTES;

  private final NativeFloats memory;
  private final long pageBytes;
  private final int pages;
  private final AtomicInteger users = new AtomicInteger(1);
  private int taken;

  /** Memory for so many pages of so many slots. */
  CacheSlab(CacheLayout layout, int slots, int pages) {
    this.pageBytes = layout.bytes(slots);
    this.pages = pages;
    this.memory = NativeFloats.ofBytes(pageBytes * pages);
  }

  /** Memory for the next pages of a cache that has some: more for those that have many. */
  static CacheSlab next(CacheLayout layout, int present) {
    long enough = Math.ceilDiv(ENOUGH_BYTES, layout.bytes(CachePage.SLOTS));
    return new CacheSlab(layout, CachePage.SLOTS, (int) Math.clamp(present / 2, 1, enough));
  }

  boolean isTaken() {
    return taken == pages;
  }

  /** Memory that no page has taken. */
  long restBytes() {
    return memory.bytes() - taken * pageBytes;
  }

  /** The next page's memory; the page is a user, and must release it. */
  MemorySegment take() {
    users.incrementAndGet();
    return memory.segment().asSlice(taken++ * pageBytes, pageBytes);
  }

  void release() {
    if (users.decrementAndGet() == 0) {
      memory.close();
    }
  }
}
