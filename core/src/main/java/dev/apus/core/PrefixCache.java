package dev.apus.core;

import dev.apus.core.model.SequenceState;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.IdentityHashMap;
import java.util.List;
import java.util.Map;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What sessions of a model have computed, kept by the tokens that led there: a session that begins
 * with tokens of which a state is kept goes on from it. Safe for any number of threads.
 *
 * <p>Attention, recurrences and hybrids are kept alike. A recurrent state is of use at the very
 * length where it was kept, so states are kept at the end of a prompt, at the end of a generation,
 * every {@link PrefixReuse#interval} tokens of a long prompt, and where a prompt leaves the tokens
 * of another one. What is not used for the longest time is dropped first.
 *
 * <p><b>Bits.</b> A session that starts from a kept state goes on with the bits of the session that
 * left it. Where a model may be cut anywhere with the same bits, as attention and recurrences may,
 * these are the bits without reuse. Where layers have a grain, a state that was left by a
 * generation, or at the end of a prompt, may differ from that of the same tokens computed at once
 * as the layers' forms do. With {@link PrefixReuse#exactly} only states without that difference are
 * kept.
 *
 * <p><b>Memory.</b> Keys and values that kept states have in common count once; what they share
 * with open sessions counts in full.
 */
public final class PrefixCache {

  private static final Logger LOG = LoggerFactory.getLogger(PrefixCache.class);

  /** Shorter stretches save less than keeping a state costs. */
  private static final int SHORTEST = 16;

  /**
   * What a cache has done since it was made.
   *
   * @param lookups sessions that looked for a beginning
   * @param hits those that found one
   * @param reusedTokens tokens that did not have to be computed
   * @param dropped states that made place for others
   * @param refused states that are too large for the cache by themselves
   * @param states that are kept now
   * @param bytes that they take now
   */
  public record Statistics(
      long lookups,
      long hits,
      long reusedTokens,
      long dropped,
      long refused,
      int states,
      long bytes) {}

  private final PrefixReuse reuse;
  private final List<Kept> states = new ArrayList<>();
  private final Map<Object, Integer> blocks = new IdentityHashMap<>();
  private long bytes;
  private long clock;
  private long lookups;
  private long hits;
  private long reusedTokens;
  private long dropped;
  private long refused;
  private boolean closed;

  PrefixCache(PrefixReuse reuse) {
    this.reuse = reuse;
  }

  /** A kept state; its fields but the first are the cache's own. */
  private static final class Kept {
    private final int[] tokens;
    private final int variant;
    private final SequenceState state;
    private final float[] logits;
    private final boolean exact;
    private int readers;
    private boolean gone;
    private long usedAt;

    Kept(int[] tokens, int variant, SequenceState state, float[] logits, boolean exact) {
      this.tokens = tokens;
      this.variant = variant;
      this.state = state;
      this.logits = logits;
      this.exact = exact;
    }

    long ownBytes() {
      return (long) Integer.BYTES * tokens.length
          + (logits == null ? 0 : (long) Float.BYTES * logits.length);
    }
  }

  /** How it is set. */
  public PrefixReuse reuse() {
    return reuse;
  }

  public synchronized Statistics statistics() {
    return new Statistics(lookups, hits, reusedTokens, dropped, refused, states.size(), bytes);
  }

  /** Drops every state. */
  public synchronized void clear() {
    List.copyOf(states).forEach(this::drop);
  }

  /** Drops every state, now and from now on. */
  synchronized void close() {
    closed = true;
    clear();
  }

  /** Starts a session that has computed nothing from the longest beginning of it that is kept. */
  void start(Sequence sequence, int variant) {
    Kept found = acquire(sequence.history(), sequence.length(), variant);
    if (found == null) {
      return;
    }
    try {
      sequence.become(found.state, found.exact, found.logits);
    } finally {
      release(found);
    }
  }

  private synchronized Kept acquire(int[] tokens, int length, int variant) {
    lookups++;
    Kept best = null;
    for (Kept kept : states) {
      int known = kept.tokens.length;
      boolean longer = best == null || known > best.tokens.length;
      boolean serves = kept.variant == variant && (known < length || kept.logits != null);
      if (longer && serves && known <= length && common(kept, tokens, length) == known) {
        best = kept;
      }
    }
    if (best != null) {
      hits++;
      reusedTokens += best.tokens.length;
      best.usedAt = ++clock;
      best.readers++;
    }
    return best;
  }

  private synchronized void release(Kept kept) {
    kept.readers--;
    closeIfUnused(kept);
  }

  private static void closeIfUnused(Kept kept) {
    if (kept.gone && kept.readers == 0) {
      kept.state.close();
    }
  }

  private static int common(Kept kept, int[] tokens, int length) {
    int end = Math.min(kept.tokens.length, length);
    int mismatch = Arrays.mismatch(kept.tokens, 0, end, tokens, 0, end);
    return mismatch < 0 ? end : mismatch;
  }

  /**
   * Where a session should stop on its way to its last token to leave its state here: ascending,
   * and multiples of the grain away from where it is.
   */
  int[] stops(Sequence sequence, int variant, int grain) {
    int from = sequence.state().length();
    int to = sequence.length();
    int step = Math.ceilDiv(reuse.interval(), grain) * grain;
    List<Integer> stops = new ArrayList<>();
    for (long at = (long) from + step; at < to; at += step) {
      stops.add((int) at);
    }
    int parting = parting(sequence.history(), to, variant);
    if (parting < to && parting - from >= SHORTEST) {
      stops.add(parting - (parting - from) % grain);
    }
    if (reuse.exact() && to - from >= SHORTEST) {
      stops.add(to - (to - from) % grain);
    }
    return stops.stream().filter(at -> at < to).mapToInt(at -> at).sorted().distinct().toArray();
  }

  /** How far the tokens go along with those of any kept state. */
  private synchronized int parting(int[] tokens, int length, int variant) {
    int longest = 0;
    for (Kept kept : states) {
      if (kept.variant == variant) {
        longest = Math.max(longest, common(kept, tokens, length));
      }
    }
    return longest;
  }

  /** Whether a stretch of so many tokens, from so many on, is worth keeping at its end. */
  static boolean isWorthKeeping(int from, int count) {
    return from == 0 || count >= SHORTEST;
  }

  /**
   * Keeps where a session's state is.
   *
   * @param logits after the last token, or null if they are not known
   * @param exact whether the state is what it is after computing its tokens at once
   */
  void keep(Sequence sequence, int variant, int grain, float[] logits, boolean exact) {
    SequenceState state = sequence.state();
    if (state.length() == 0 || (reuse.exact() && !(exact && state.length() % grain == 0))) {
      return;
    }
    int[] tokens = Arrays.copyOf(sequence.history(), state.length());
    if (!isNew(tokens, variant, logits, exact) || isTooLarge(state, tokens.length, logits)) {
      return;
    }
    SequenceState copy;
    try {
      copy = state.copy();
    } catch (OutOfMemoryError e) {
      LOG.warn("there is no memory for keeping a state of {} tokens", tokens.length, e);
      return;
    }
    add(new Kept(tokens, variant, copy, logits, exact));
  }

  /** Whether there is nothing as good for these tokens; what there is counts as used now. */
  private synchronized boolean isNew(int[] tokens, int variant, float[] logits, boolean exact) {
    Kept same = same(tokens, variant);
    if (same == null) {
      return true;
    }
    same.usedAt = ++clock;
    return (exact && !same.exact) || (exact == same.exact && logits != null && same.logits == null);
  }

  private Kept same(int[] tokens, int variant) {
    for (Kept kept : states) {
      if (kept.variant == variant && Arrays.equals(kept.tokens, tokens)) {
        return kept;
      }
    }
    return null;
  }

  private boolean isTooLarge(SequenceState state, int tokens, float[] logits) {
    long[] size = {(long) Integer.BYTES * tokens};
    size[0] += logits == null ? 0 : (long) Float.BYTES * logits.length;
    state.blocks((block, blockBytes) -> size[0] += blockBytes);
    if (size[0] <= reuse.bytes()) {
      return false;
    }
    synchronized (this) {
      if (refused++ == 0) {
        LOG.warn(
            "a state of {} tokens takes {} bytes, the prefix cache {} in all: such prompts are not"
                + " kept",
            tokens,
            size[0],
            reuse.bytes());
      }
    }
    return true;
  }

  private synchronized void add(Kept kept) {
    if (closed) {
      kept.state.close();
      return;
    }
    Kept same = same(kept.tokens, kept.variant);
    if (same != null) {
      drop(same);
    }
    states.add(kept);
    kept.usedAt = ++clock;
    bytes += kept.ownBytes();
    kept.state.blocks(
        (block, size) -> {
          if (blocks.merge(block, 1, Integer::sum) == 1) {
            bytes += size;
          }
        });
    while (bytes > reuse.bytes()) {
      dropped++;
      drop(states.stream().min(Comparator.comparingLong(state -> state.usedAt)).orElseThrow());
    }
  }

  private void drop(Kept kept) {
    states.remove(kept);
    bytes -= kept.ownBytes();
    kept.state.blocks(
        (block, size) -> {
          if (blocks.merge(block, -1, Integer::sum) == 0) {
            blocks.remove(block);
            bytes -= size;
          }
        });
    kept.gone = true;
    closeIfUnused(kept);
  }
}
