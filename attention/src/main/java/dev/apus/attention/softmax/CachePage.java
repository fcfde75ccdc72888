package dev.apus.attention.softmax;

import dev.apus.core.model.NativeFloats;
import dev.apus.kernels.attention.Attention;
import dev.apus.kernels.attention.Attention.Levels;
import dev.apus.kernels.attention.Attention.Piece;
import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The keys and values of one span of slots, of all heads, that several caches may have together.
 *
 * <p>While it is shared, a slot that has been filled stays as it is, and the slots behind are given
 * to whoever asks first: a cache that stands where the page is filled to goes on in place, and any
 * other one must copy what it needs of the page. Caches that share a page may be used by different
 * threads.
 */
final class CachePage {

  static final int SLOTS = Attention.SPAN;

  private final CacheLayout layout;
  private final int index;
  private final int slots;
  private final CacheSlab slab;
  private final MemorySegment memory;
  private final Piece[] heads;
  private final AtomicInteger users = new AtomicInteger(1);
  private final AtomicInteger filled = new AtomicInteger();

  /** A page in memory of its own. */
  CachePage(CacheLayout layout, int index, int slots) {
    this(layout, index, slots, new CacheSlab(layout, slots, 1));
    slab.release();
  }

  /**
   * @param index which span of the sequence it holds
   * @param slots at most {@link #SLOTS}, a multiple of the granularity
   * @param slab for pages of so many slots
   */
  CachePage(CacheLayout layout, int index, int slots, CacheSlab slab) {
    this.layout = layout;
    this.index = index;
    this.slots = slots;
    this.slab = slab;
    this.memory = slab.take();
    this.heads = new Piece[layout.heads()];
    long keyBytes = layout.keyBytes(slots);
    long valueBytes = layout.valueBytes(slots);
    long valuesAt = heads.length * keyBytes - layout.valueBytes(index * SLOTS);
    for (int head = 0; head < heads.length; head++) {
      long keysAt = head * keyBytes - layout.keyBytes(index * SLOTS);
      long valuesOfHead = valuesAt + head % layout.valueHeads() * valueBytes;
      heads[head] = new Piece(memory, keysAt, memory, valuesOfHead, levels(head, slots));
    }
  }

  private Levels levels(int head, int slots) {
    if (layout.forgetting() == 0) {
      return null;
    }
    long at =
        heads.length * layout.keyBytes(slots) + layout.valueHeads() * layout.valueBytes(slots);
    return new Levels(memory, at + head * layout.levelBytes(slots), layout.forgetting(), slots);
  }

  /** Pages that so many slots lie in. */
  static int count(int slots) {
    return Math.ceilDiv(slots, SLOTS);
  }

  /** Releases a page, if there is one. */
  static void release(CachePage page) {
    if (page != null) {
      page.release();
    }
  }

  /** Releases those pages that are there, and empties the list. */
  static void releaseAll(List<CachePage> pages) {
    for (CachePage page : pages) {
      release(page);
    }
    pages.clear();
  }

  int slots() {
    return slots;
  }

  /** Whether it holds a whole span as queries of later ones see it. */
  boolean isSettled() {
    return layout.kernel().format().settles();
  }

  Piece head(int head) {
    return heads[head];
  }

  long bytes() {
    return memory.byteSize();
  }

  /** What falls to one of those who use it. */
  long shareBytes() {
    return slab.shareBytes() / Math.max(1, users.get());
  }

  /** Adds a user. */
  CachePage share() {
    users.incrementAndGet();
    return this;
  }

  /** Takes a user away; when the last one goes, so does the memory. */
  void release() {
    if (users.decrementAndGet() == 0) {
      slab.giveBack();
    }
  }

  /**
   * Asks for the slots {@code [from, to)} of the page.
   *
   * @return false if somebody else may know them as filled
   */
  boolean claim(int from, int to) {
    if (users.get() == 1) {
      filled.set(to);
      return true;
    }
    return filled.compareAndSet(from, to);
  }

  /** A page of the caller's own with the same content in the slots before {@code used}. */
  CachePage copy(int newSlots, int used) {
    CachePage copy = new CachePage(layout, index, newSlots);
    copy.transfer(this, layout.blocks(used));
    copy.filled.set(used);
    return copy;
  }

  private void transfer(CachePage from, int count) {
    int first = index * SLOTS;
    for (int head = 0; count > 0 && head < heads.length; head++) {
      Piece source = from.heads[head];
      Piece target = heads[head];
      long keysFrom = layout.keyBytes(first);
      long valuesFrom = layout.valueBytes(first);
      MemorySegment.copy(
          source.keys(),
          source.keysAt() + keysFrom,
          target.keys(),
          target.keysAt() + keysFrom,
          layout.keyBytes(count));
      MemorySegment.copy(
          source.values(),
          source.valuesAt() + valuesFrom,
          target.values(),
          target.valuesAt() + valuesFrom,
          layout.valueBytes(count));
      if (source.levels() != null) {
        source.levels().copy(target.levels(), count);
      }
    }
  }

  /** Writes the slots before {@code used}, in whole blocks whose other slots hold zeros. */
  void write(DataOutput out, int used) throws IOException {
    int count = layout.blocks(used);
    CachePage compact = copy(count, used);
    try {
      compact.zero(used, count);
      NativeFloats.write(compact.memory, out);
    } finally {
      compact.release();
    }
  }

  private void zero(int from, int to) {
    float[] zeros = new float[Math.max(layout.keyDim(), layout.valueDim())];
    Attention kernel = layout.kernel();
    for (int slot = index * SLOTS + from; slot < index * SLOTS + to; slot++) {
      for (Piece head : heads) {
        kernel.storeKeys(zeros, 0, layout.keyDim(), head.keys(), head.keysAt(), slot);
        kernel.storeValues(zeros, 0, layout.valueDim(), head.values(), head.valuesAt(), slot);
        for (int g = 0; g < layout.forgetting(); g++) {
          head.levels().set(g, slot, 0);
        }
      }
    }
  }

  /** The page that {@link #write} wrote. */
  static CachePage read(DataInput in, CacheLayout layout, int index, int used) throws IOException {
    CachePage page = new CachePage(layout, index, layout.blocks(used));
    try {
      NativeFloats.read(in, page.memory);
      page.filled.set(used);
      return page;
    } catch (IOException | RuntimeException | Error e) {
      page.release();
      throw e;
    }
  }
}
