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

  /** Pages that have not gone. */
  private final AtomicInteger living = new AtomicInteger();

  private volatile int taken;

  /** Memory for so many pages of so many slots. */
  CacheSlab(CacheLayout layout, int slots, int pages) {
    this.pageBytes = layout.bytes(slots);
    this.pages = pages;
    this.memory = NativeFloats.ofBytes(pageBytes * pages);
  }

  /** Memory for the next full pages of a cache: for so many at most, and one at least. */
  static CacheSlab next(CacheLayout layout, int most) {
    long enough = Math.ceilDiv(ENOUGH_BYTES, layout.bytes(CachePage.SLOTS));
    return new CacheSlab(layout, CachePage.SLOTS, (int) Math.clamp(most, 1, enough));
  }

  boolean isTaken() {
    return taken == pages;
  }

  /** Memory that no page has taken. */
  long restBytes() {
    return memory.bytes() - taken * pageBytes;
  }

  /** The next page's memory, which it must give back. */
  MemorySegment take() {
    users.incrementAndGet();
    living.incrementAndGet();
    int page = taken;
    taken = page + 1;
    return memory.segment().asSlice(page * pageBytes, pageBytes);
  }

  /** What falls to a page: those that have gone before others still take their memory. */
  long shareBytes() {
    return taken * pageBytes / Math.max(1, living.get());
  }

  /** Takes a page back. */
  void giveBack() {
    living.decrementAndGet();
    release();
  }

  void release() {
    if (users.decrementAndGet() == 0) {
      memory.close();
    }
  }
}
