package dev.apus.attention.softmax;

import dev.apus.core.model.MixerState;
import java.lang.ref.WeakReference;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/**
 * The marks of a key–value cache. A mark is a length, because slots before it stay as they are,
 * until the cache goes back behind it: then what the mark still needs of the slots that may be
 * overwritten is copied, and put back when it is asked for.
 */
final class CacheMarks {

  private final KeyValueCache cache;
  private final int granularity;
  private final List<WeakReference<At>> open = new ArrayList<>();

  CacheMarks(KeyValueCache cache, int granularity) {
    this.cache = cache;
    this.granularity = granularity;
  }

  MixerState.Mark add(int length) {
    open.removeIf(mark -> mark.get() == null);
    At mark = new At(length);
    open.add(new WeakReference<>(mark));
    return mark;
  }

  /** The cache holds another sequence now: no mark can be returned to. */
  void forget() {
    for (WeakReference<At> reference : open) {
      At mark = reference.get();
      if (mark != null) {
        mark.gone = "the mark was made before another sequence was read into the state";
      }
    }
    open.clear();
  }

  /** Slots {@code [from, to)} as they were. */
  private record Kept(int from, int to, byte[] bytes) {}

  private final class At implements MixerState.Mark {

    private final int length;
    private final Deque<Kept> kept = new ArrayDeque<>();

    /** Slots before this are still in the cache as this mark knows them. */
    private int inCache;

    /** Why the mark cannot be returned to; null if it can. */
    private String gone;

    At(int length) {
      this.length = length;
      this.inCache = Math.ceilDiv(length, granularity) * granularity;
    }

    @Override
    public void rewind() {
      if (gone != null) {
        throw new IllegalStateException(gone);
      }
      int lowest = kept.isEmpty() ? length : Math.min(length, kept.getFirst().from);
      for (WeakReference<At> reference : open) {
        At other = reference.get();
        if (other != null && other != this) {
          other.keepFrom(lowest);
        }
      }
      for (Kept slots : kept) {
        cache.restore(slots.from, slots.to, slots.bytes);
      }
      kept.clear();
      inCache = Math.ceilDiv(length, granularity) * granularity;
      cache.truncate(length);
    }

    /** Copies what is needed of slots that may be overwritten from {@code slot} on. */
    private void keepFrom(int slot) {
      int from = slot / granularity * granularity;
      if (from < inCache && slot < length) {
        kept.addFirst(new Kept(from, inCache, cache.slots(from, inCache)));
        inCache = from;
      }
    }

    @Override
    public void close() {
      open.removeIf(mark -> mark.get() == this || mark.get() == null);
      kept.clear();
      gone = "the mark is closed";
    }
  }
}
