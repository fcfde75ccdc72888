package dev.apus.attention.softmax;

import static dev.apus.attention.softmax.CachePage.SLOTS;

import dev.apus.core.model.MixerState;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;

/**
 * The marks of a key–value cache. A mark is a length, because slots before it stay as they are,
 * until the cache goes back behind it or elsewhere: then the mark shares the pages that may be
 * overwritten, which makes the cache copy them, and gives them back when it is asked for.
 */
final class CacheMarks {

  private final KeyValueCache cache;
  private final List<WeakReference<At>> open = new ArrayList<>();

  CacheMarks(KeyValueCache cache) {
    this.cache = cache;
  }

  /**
   * @param summaries where those of blocks are, or null
   */
  MixerState.Mark add(int length, MixerState.Mark summaries) {
    open.removeIf(mark -> mark.get() == null);
    At mark = new At(length, summaries);
    open.add(new WeakReference<>(mark));
    return mark;
  }

  /** Must be called before pages change from this one on otherwise than by appending. */
  void keepFrom(int page) {
    keepFrom(page, null);
  }

  private void keepFrom(int page, At except) {
    for (WeakReference<At> reference : open) {
      At mark = reference.get();
      if (mark != null && mark != except) {
        mark.keepFrom(page);
      }
    }
  }

  private final class At implements MixerState.Mark {

    private final int length;
    private final MixerState.Mark summaries;
    private List<CachePage> kept = List.of();

    /** Pages before this are still in the cache as this mark knows them. */
    private int inCache;

    private boolean closed;

    At(int length, MixerState.Mark summaries) {
      this.length = length;
      this.summaries = summaries;
      this.inCache = Math.ceilDiv(length, SLOTS);
    }

    @Override
    public void rewind() {
      if (closed) {
        throw new IllegalStateException("the mark is closed");
      }
      CacheMarks.this.keepFrom(Math.min(length / SLOTS, inCache), this);
      cache.become(inCache, kept, length);
      kept = List.of();
      inCache = Math.ceilDiv(length, SLOTS);
      if (summaries != null) {
        summaries.rewind();
      }
    }

    private void keepFrom(int page) {
      if (page < inCache) {
        List<CachePage> more = new ArrayList<>(cache.share(page, inCache));
        more.addAll(kept);
        kept = more;
        inCache = page;
      }
    }

    @Override
    public long bytes() {
      long more = summaries == null ? 0 : summaries.bytes();
      return more + kept.stream().mapToLong(CachePage::shareBytes).sum();
    }

    @Override
    public void close() {
      open.removeIf(mark -> mark.get() == this || mark.get() == null);
      kept.forEach(CachePage::release);
      kept = List.of();
      closed = true;
      if (summaries != null) {
        summaries.close();
      }
    }
  }
}
