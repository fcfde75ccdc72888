package dev.apus.kernels.attention;

import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Softmax attention of a tile of queries over the keys it visits, span after span, so that scores
 * are never stored for more than one span.
 *
 * <p>One call serves the query heads that share one key–value head. Keys and values of that head
 * lie in native segments whose layout {@link #storeKeys} and {@link #storeValues} own; positions
 * are slots {@code 0, 1, …}. The slots of a span lie together, each span may lie anywhere. What is
 * computed with is what they hold, which in {@link CacheFormat#BF16} is rounded.
 *
 * <p>The slots are divided into spans of {@link #SPAN}. Each span has a softmax of its own over the
 * slots of it that the row sees,
 *
 * <pre>
 *   s_i = softcap((Σ_d k_i[d] · q[d]) · scale) + slope · (slot_i − position) + (level − level_i)
 *   m = max_i s_i          p_i = e^(s_i − m)          l = Σ_i p_i          o = Σ_i p_i · v_i
 * </pre>
 *
 * <p>and the spans that the row sees anything of are merged in ascending order:
 *
 * <pre>
 *   M′ = max(M, m)         c = e^(M − M′)             e = e^(m − M′)
 *   L ← L · c + l · e      O ← O · c + o · e
 * </pre>
 *
 * <p>Sums over d and sums of values are chains of fused multiply-adds, the first coordinate or slot
 * first; l has sixteen partial sums, slot i in sum i mod 16, added as a tree. A row's result
 * therefore has the same bits whatever rows share its call, and whoever computed its spans. Slots
 * that a row does not see are never used, whatever lies there.
 */
public interface Attention {

  /** Slots of a span. */
  int SPAN = 256;

  /**
   * What is fixed for a layer.
   *
   * @param scale factor on {@code q·k}
   * @param softcap scores become {@code softcap · tanh(score / softcap)}; 0 for none
   */
  record Traits(int headDim, int valueDim, float scale, float softcap) {}

  /**
   * The queries of one tile: row {@code r}, head {@code g} of the group begins at {@code at + r ·
   * stride + g · headDim}; its outputs are laid out in the same way with {@code valueDim}.
   *
   * @param position the slot of row 0; row {@code r} stands at {@code position + r}
   */
  record Queries(float[] data, int at, int stride, int rows, int group, int position) {

    public int count() {
      return rows * group;
    }
  }

  /**
   * Which keys a row may see: of the visited slots, those with {@code rowPosition − window &lt;
   * slot} and, if causal, {@code slot ≤ rowPosition}.
   *
   * @param ranges ascending, disjoint visited slots as pairs {@code [from, to)}
   * @param count how many pairs
   * @param window 0 for no limit; a bidirectional window sees as far ahead as back
   */
  record Visited(int[] ranges, int count, boolean causal, int window) {}

  /** Keys and values of one head. */
  @FunctionalInterface
  interface Stored {

    /** Where the slots of a span lie. */
    Piece piece(int span);

    /** Where they lie for queries that stand in it, if that is elsewhere. */
    default Piece recent(int span) {
      return piece(span);
    }
  }

  /**
   * Keys and values of some consecutive slots of one head, in native memory.
   *
   * @param keysAt the byte where slot 0 begins if the slots before these lay there, too; below 0 if
   *     they would not fit
   * @param valuesAt likewise
   * @param levels where heads forget, or null
   */
  record Piece(MemorySegment keys, long keysAt, MemorySegment values, long valuesAt, Levels levels)
      implements Stored {

    /** Of heads that do not forget. */
    public Piece(MemorySegment keys, long keysAt, MemorySegment values, long valuesAt) {
      this(keys, keysAt, values, valuesAt, null);
    }

    /** Of slots that all lie together, this piece holds every span. */
    @Override
    public Piece piece(int span) {
      return this;
    }
  }

  /**
   * How much the heads of a group have forgotten up to each slot of a span: a slot's level is the
   * sum of the logarithms of what its token and those before kept. A query's own level is that of
   * the slot it stands at, so that a score gets what was kept from its slot on.
   *
   * <p>A level is a base, that of the slot before the span, and the sum since: near slots differ by
   * small numbers however long a text is. In memory there are a double for each head, and then a
   * float for each head and slot.
   *
   * @param at a byte of {@code memory}
   * @param slots of the span that there is room for
   */
  record Levels(MemorySegment memory, long at, int heads, int slots) {

    private static final ValueLayout.OfDouble BASE = ValueLayout.JAVA_DOUBLE_UNALIGNED;
    private static final ValueLayout.OfFloat SUM = ValueLayout.JAVA_FLOAT_UNALIGNED;

    public static long bytes(int heads, int slots) {
      return heads * (Double.BYTES + (long) slots * Float.BYTES);
    }

    public double base(int head) {
      return memory.get(BASE, at + (long) head * Double.BYTES);
    }

    public void setBase(int head, double base) {
      memory.set(BASE, at + (long) head * Double.BYTES, base);
    }

    /** The byte of the sum up to a slot, behind which lie those of the slots that follow. */
    long sumAt(int head, int slot) {
      return at + (long) heads * Double.BYTES + ((long) head * slots + slot % SPAN) * Float.BYTES;
    }

    public float sum(int head, int slot) {
      return memory.get(SUM, sumAt(head, slot));
    }

    public void set(int head, int slot, float sum) {
      memory.set(SUM, sumAt(head, slot), sum);
    }

    public double level(int head, int slot) {
      return base(head) + sum(head, slot);
    }

    /** Copies the bases and the first {@code count} sums of each head. */
    public void copy(Levels to, int count) {
      for (int head = 0; head < heads; head++) {
        to.setBase(head, base(head));
        long bytes = (long) count * Float.BYTES;
        MemorySegment.copy(memory, sumAt(head, 0), to.memory, to.sumAt(head, 0), bytes);
      }
    }
  }

  /**
   * What scores are changed by.
   *
   * @param slopes ALiBi: {@code slopes[headAt + g] · (slot − rowPosition)} is added to a score; or
   *     null
   * @param sinks {@code e^(sinks[headAt + g])} is added to a softmax's denominator; or null
   */
  record Biases(float[] slopes, float[] sinks, int headAt) {}

  /**
   * What an index asks of keys: several heads that read one key a slot.
   *
   * @param q head {@code h} begins at {@code at + h · headDim}
   * @param weights of the heads, the first at {@code weightsAt}
   */
  record IndexQuery(float[] q, int at, int heads, int headDim, float[] weights, int weightsAt) {}

  /** How keys and values are kept. */
  CacheFormat format();

  /** The attention over slots that have not settled; itself if none ever does. */
  default Attention recent() {
    return this;
  }

  /**
   * Writes a whole span of one head as the queries of later spans see it.
   *
   * @param recent as {@link #recent()} has stored it
   * @param settled is written, levels included
   * @throws UnsupportedOperationException if the format does not settle
   */
  default void settle(int headDim, int valueDim, int span, Piece recent, Piece settled) {
    throw new UnsupportedOperationException(format() + " caches do not settle");
  }

  /**
   * Slots are allocated in multiples of this; memory that was never stored to may hold anything.
   */
  int slotGranularity();

  /**
   * Bytes of the keys of one key–value head for {@code slots} slots, a multiple of the granularity.
   */
  long keyBytes(int headDim, int slots);

  long valueBytes(int valueDim, int slots);

  /** Stores one token's key of one head at a slot. */
  void storeKeys(float[] k, int kAt, int headDim, MemorySegment keys, long keysAt, int slot);

  void storeValues(float[] v, int vAt, int valueDim, MemorySegment values, long valuesAt, int slot);

  /** Reads what {@link #storeKeys} has stored for one token. */
  void loadKeys(MemorySegment keys, long keysAt, int headDim, int slot, float[] k, int kAt);

  /** Reads what {@link #storeValues} has stored for one token. */
  void loadValues(MemorySegment values, long valuesAt, int valueDim, int slot, float[] v, int vAt);

  /** Reads a key as the queries at a position see it. */
  default void loadKeys(Stored stored, int position, int headDim, int slot, float[] k, int kAt) {
    Piece piece = stored.piece(slot / SPAN);
    loadKeys(piece.keys(), piece.keysAt(), headDim, slot, k, kAt);
  }

  /** Reads a value as the queries at a position see it. */
  default void loadValues(Stored stored, int position, int valueDim, int slot, float[] v, int vAt) {
    Piece piece = stored.piece(slot / SPAN);
    loadValues(piece.values(), piece.valuesAt(), valueDim, slot, v, vAt);
  }

  /**
   * Writes {@code (Σ_d k_i[d] · q[d]) · scale} for every query and the slots {@code [from, to)}:
   * what {@link #attend} starts with, before anything hides or bends it.
   *
   * @param scores those of row {@code r}, head {@code g} are written from {@code scoresAt + (r ·
   *     group + g) · scoresStride} on
   * @param scratch as for {@link #attend}
   */
  void score(
      Traits traits,
      Queries q,
      int from,
      int to,
      Stored stored,
      float[] scores,
      int scoresAt,
      int scoresStride,
      float[] scratch);

  /**
   * Collects scattered slots as neighbouring ones. What {@link #storeValues} has stored at a slot
   * is a row {@code [value, rest]}; its value becomes a value, and {@code [rest, value]} a key.
   * Nothing is rounded.
   *
   * @param traits {@code headDim} values of a row, of which the first {@code valueDim} are its
   *     value
   * @param rows where the rows are stored, as values of {@code headDim}
   * @param slots slot {@code slots[slotsAt + i]} becomes slot {@code i}
   * @param from where to begin, a multiple of {@link #SPAN}
   * @param to at most the next multiple
   * @param piece of that span, which is written
   */
  void gather(Traits traits, Stored rows, int[] slots, int slotsAt, int from, int to, Piece piece);

  /**
   * Copies keys and values of scattered slots as those of neighbouring ones. Nothing is rounded.
   *
   * @param ranges disjoint slots as pairs {@code [from, to)}, which become slots {@code 0, 1, …}
   * @param from where to begin in {@code piece}, as {@link #gather} does
   * @throws UnsupportedOperationException if the format settles
   */
  void collect(Traits traits, Stored stored, int[] ranges, int from, int to, Piece piece);

  /**
   * Writes how much an index asks for each of some slots of a span.
   *
   * <pre>
   *   score_i = Σ_h weights[h] · max(0, Σ_d k_i[d] · q_h[d])
   * </pre>
   *
   * <p>Both sums are chains of fused multiply-adds, the first coordinate and the first head first.
   *
   * @param keys the span's
   * @param from the first slot
   * @param scores slot {@code from} is written at {@code scoresAt}
   * @param scratch at least {@link #indexFloats} floats that no other thread uses
   */
  void index(
      IndexQuery query,
      Piece keys,
      int from,
      int to,
      float[] scores,
      int scoresAt,
      float[] scratch);

  /** Floats of scratch that {@link #index} needs for so many heads. */
  int indexFloats(int heads);

  /**
   * Writes each query's weighted mean of the values it sees; zeros if it sees none.
   *
   * @param out row {@code r}, head {@code g} is written from {@code outAt + r · outStride + g ·
   *     valueDim}
   * @param scratch at least {@link #scratchFloats} floats that no other thread uses
   */
  void attend(
      Traits traits,
      Queries q,
      Visited visited,
      Stored stored,
      Biases biases,
      float[] out,
      int outAt,
      int outStride,
      float[] scratch);

  /**
   * What {@link #attend} does for one span: {@link #partFloats} floats for {@link #merge}.
   *
   * <p>A part holds for each query o, m and l: {@code valueDim} sums of weighted values, the
   * greatest score, and the sum of the weights. A query that sees nothing has −∞ as the greatest
   * score. What else is to be divided by a common sum of weights can be merged as one more part.
   *
   * @param span the slots {@code [SPAN · span, SPAN · (span + 1))}
   * @param scratch as for {@link #attend}
   */
  void attendSpan(
      Traits traits,
      Queries q,
      Visited visited,
      int span,
      Stored stored,
      Biases biases,
      float[] part,
      int partAt,
      float[] scratch);

  /**
   * What {@link #attend} makes of its spans.
   *
   * @param parts of all visited spans, one behind the other, in ascending order; overwritten
   */
  void merge(
      Traits traits,
      Queries q,
      Biases biases,
      float[] parts,
      int partsAt,
      int count,
      float[] out,
      int outAt,
      int outStride);

  /**
   * What {@link #attendSpan} does, and what it multiplies the values of a span by. Traits with a
   * {@code valueDim} of 0 have no values summed up.
   *
   * @param part as for {@link #attendSpan}
   * @param weights receives {@code e^(s_i − m)} of each query and slot, {@link #SPAN} floats for
   *     each query; 0 for slots that it does not see
   */
  void weighSpan(
      Traits traits,
      Queries q,
      Visited visited,
      int span,
      Stored stored,
      Biases biases,
      float[] part,
      int partAt,
      float[] weights,
      int weightsAt,
      float[] scratch);

  /**
   * Divides weights by the common sum of all their spans, and of the sinks: they are then what
   * {@link #merge} multiplies values by. It comes before that, which overwrites the parts.
   *
   * @param parts of all visited spans, as {@link #weighSpan} has written them, in ascending order
   * @param weights of these spans, one behind the other
   */
  void normalize(
      Traits traits,
      Queries q,
      Biases biases,
      float[] parts,
      int partsAt,
      int count,
      float[] weights,
      int weightsAt);

  /** Floats of what a span has given for so many queries. */
  int partFloats(Traits traits, int queries);

  int scratchFloats(Traits traits, int queries);
}
