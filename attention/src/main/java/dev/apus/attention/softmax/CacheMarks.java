package dev.apus.attention.softmax;

import static dev.apus.attention.softmax.CachePage.SLOTS;

import dev.apus.core.model.MixerState;
import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.stream.Stream;

/**
 * The marks of a key–value cache. A mark is a length, because slots before it stay as they are,
 * until the cache goes back behind it or elsewhere, or forgets: then the mark shares the pages that
 * may be overwritten or go, which makes the cache copy them, and gives them back when it is asked
 * for.
 */
final class CacheMarks {

  private final KeyValueCache cache;
  private final List<WeakReference<At>> open = new ArrayList<>();

  CacheMarks(KeyValueCache cache) {
    this.cache = cache;
  }

  /**
   * @param reuse a mark of the cache that has been closed, or null
   * @param oldest page of the cache
   * @param beside what is marked beside the pages, or null
   */
  MixerState.Mark add(MixerState.Mark reuse, int length, int oldest, MixerState.Mark beside) {
    for (int i = open.size() - 1; i >= 0; i--) {
      if (open.get(i).get() == null) {
        open.remove(i);
      }
    }
    At mark = reuse instanceof At at ? at : new At();
    mark.arm(length, oldest, beside);
    open.add(mark.self);
    return mark;
  }

  /** Must be called before the pages {@code [from, to)} change otherwise than by appending. */
  void keep(int from, int to) {
    keep(from, to, null);
  }

  private void keep(int from, int to, At except) {
    for (WeakReference<At> reference : open) {
      At mark = reference.get();
      if (mark != null && mark != except) {
        mark.keep(from, to);
      }
    }
  }

  private final class At implements MixerState.Mark {

    private static final CachePage[] NONE = {};

    private final WeakReference<At> self = new WeakReference<>(this);

    private int length;
    private int oldest;
    private MixerState.Mark beside;

    /** By their index, the pages that the cache may not have any more as this mark knows them. */
    private CachePage[] kept = NONE;

    private boolean closed;

    private void arm(int newLength, int newOldest, MixerState.Mark newBeside) {
      length = newLength;
      oldest = newOldest;
      beside = newBeside;
      closed = false;
    }

    @Override
    public void rewind() {
      if (closed) {
        throw new IllegalStateException("the mark is closed");
      }
      int changes = length / SLOTS;
      for (int i = Math.min(changes, kept.length) - 1; i >= 0; i--) {
        changes = kept[i] == null ? changes : i;
      }
      CacheMarks.this.keep(changes, Integer.MAX_VALUE, this);
      CachePage[] pages = kept;
      kept = NONE;
      cache.become(length, oldest, pages);
      if (beside != null) {
        beside.rewind();
      }
    }

    private void keep(int from, int to) {
      int end = CachePage.count(length);
      for (int page = from; page < Math.min(to, end); page++) {
        if (cache.keeps(page, oldest)) {
          kept = kept == NONE ? new CachePage[end] : kept;
          kept[page] = kept[page] == null ? cache.share(page) : kept[page];
        }
      }
    }

    private Stream<CachePage> kept() {
      return Arrays.stream(kept).filter(Objects::nonNull);
    }

    @Override
    public long bytes() {
      long more = beside == null ? 0 : beside.bytes();
      return more + kept().mapToLong(CachePage::shareBytes).sum();
    }

    @Override
    public void close() {
      open.remove(self);
      for (CachePage page : kept) {
        CachePage.release(page);
      }
      kept = NONE;
      closed = true;
      if (beside != null) {
        beside.close();
      }
    }
  }
}
