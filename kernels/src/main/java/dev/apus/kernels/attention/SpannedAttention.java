package dev.apus.kernels.attention;

import dev.apus.kernels.math.ScalarMath;
import dev.apus.kernels.matmul.Matmul;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * Where keys and values lie, and how spans are merged.
 *
 * <p>Both products of attention, of queries with keys and of weights with values, are products of
 * panels like those of a {@link Matmul}: column after column, each with the values of 32
 * neighbours, that vectors hold as lanes. The keys of 32 slots are a panel {@code [headDim][32]};
 * the values of a block of 64 slots are a panel {@code [64][32]} for each 32 of their coordinates,
 * the last of which is filled up.
 */
abstract class SpannedAttention implements Attention {

  /** Slots of a panel of keys, coordinates of a panel of values. */
  static final int LANES = Matmul.PANEL_ROWS;

  /** Slots of a block of values. */
  static final int BLOCK = 64;

  private final CacheFormat format;
  final Columns columns;

  SpannedAttention(CacheFormat format) {
    this.format = format;
    this.columns = format.columns();
  }

  @Override
  public final CacheFormat format() {
    return format;
  }

  @Override
  public final int slotGranularity() {
    return BLOCK;
  }

  @Override
  public final long keyBytes(int headDim, int slots) {
    return Math.multiplyExact((long) headDim * columns.bytes(), slots / LANES);
  }

  @Override
  public final long valueBytes(int valueDim, int slots) {
    return Math.multiplyExact((long) valuePanels(valueDim) * columns.bytes(), slots);
  }

  static int valuePanels(int valueDim) {
    return Math.ceilDiv(valueDim, LANES);
  }

  /** Byte offset of the panel with a slot's key. */
  final long keyPanelAt(int slot, int headDim) {
    return (long) (slot / LANES) * headDim * columns.bytes();
  }

  /** Byte offset of the panel with a slot's values from coordinate {@code panel · 32} on. */
  final long valuePanelAt(int slot, int panel, int valueDim) {
    return ((long) (slot / BLOCK) * valuePanels(valueDim) + panel) * BLOCK * columns.bytes();
  }

  /** Byte offset of a slot's values from coordinate {@code panel · 32} on. */
  final long valueColumnAt(int slot, int panel, int valueDim) {
    return valuePanelAt(slot, panel, valueDim) + (long) slot % BLOCK * columns.bytes();
  }

  @Override
  public final void storeKeys(
      float[] k, int kAt, int headDim, MemorySegment keys, long keysAt, int slot) {
    long at = keysAt + keyPanelAt(slot, headDim);
    for (int d = 0; d < headDim; d++) {
      columns.store(k, kAt + d, keys, at + (long) d * columns.bytes(), slot % LANES, 1);
    }
  }

  @Override
  public final void storeValues(
      float[] v, int vAt, int valueDim, MemorySegment values, long valuesAt, int slot) {
    for (int j = 0; j < valueDim; j += LANES) {
      long at = valuesAt + valueColumnAt(slot, j / LANES, valueDim);
      columns.store(v, vAt + j, values, at, 0, Math.min(LANES, valueDim - j));
    }
  }

  @Override
  public final void loadKeys(
      MemorySegment keys, long keysAt, int headDim, int slot, float[] k, int kAt) {
    long at = keysAt + keyPanelAt(slot, headDim);
    for (int d = 0; d < headDim; d++) {
      columns.load(keys, at + (long) d * columns.bytes(), slot % LANES, k, kAt + d, 1);
    }
  }

  @Override
  public final void loadValues(
      MemorySegment values, long valuesAt, int valueDim, int slot, float[] v, int vAt) {
    for (int j = 0; j < valueDim; j += LANES) {
      long at = valuesAt + valueColumnAt(slot, j / LANES, valueDim);
      columns.load(values, at, 0, v, vAt + j, Math.min(LANES, valueDim - j));
    }
  }

  @Override
  public final void gather(
      Traits traits, Stored rows, int[] slots, int slotsAt, int from, int to, Piece piece) {
    requireUnits();
    new Gathering(this, traits, rows, slots, slotsAt).run(from, to, piece);
  }

  @Override
  public final void collect(
      Traits traits, Stored stored, int[] ranges, int from, int to, Piece piece) {
    requireUnits();
    new Collecting(this, traits).run(stored, ranges, from, to, piece);
  }

  private void requireUnits() {
    if (columns.unit() == 0) {
      throw new UnsupportedOperationException(format + " rows cannot be gathered");
    }
  }

  /**
   * A query's level, from the base of a span's; 0 where heads do not forget.
   *
   * @param piece the span's
   * @param head of the group
   */
  static float level(Stored stored, Piece piece, int head, int position) {
    if (piece.levels() == null) {
      return 0;
    }
    double own = stored.piece(position / SPAN).levels().level(head, position);
    return (float) (own - piece.levels().base(head));
  }

  /** Floats of scratch that {@link #attendSpan} needs. */
  abstract int spanFloats(Traits traits, int queries);

  @Override
  public final int scratchFloats(Traits traits, int queries) {
    return spanFloats(traits, queries) + 2 * partFloats(traits, queries);
  }

  @Override
  public final int partFloats(Traits traits, int queries) {
    return queries * queryFloats(traits);
  }

  /** What a part holds of a query: its sums of values, its greatest score, its denominator. */
  static int queryFloats(Traits traits) {
    return traits.valueDim() + 2;
  }

  @Override
  public final void attend(
      Traits traits,
      Queries q,
      Visited visited,
      Stored stored,
      Biases biases,
      float[] out,
      int outAt,
      int outStride,
      float[] scratch) {
    int sumAt = spanFloats(traits, q.count());
    int partAt = sumAt + partFloats(traits, q.count());
    for (int i = 0; i < q.count(); i++) {
      scratch[sumAt + i * queryFloats(traits) + traits.valueDim()] = Float.NEGATIVE_INFINITY;
    }
    var slots =
        new VisitedSlots(visited, q.position(), q.position() + q.rows() - 1, 0, Integer.MAX_VALUE);
    for (int slot = slots.next(0); slot >= 0; slot = slots.next(SPAN * (slot / SPAN + 1))) {
      attendSpan(traits, q, visited, slot / SPAN, stored, biases, scratch, partAt, scratch);
      add(traits, q.count(), scratch, partAt, sumAt);
    }
    finish(traits, q, biases, scratch, sumAt, out, outAt, outStride);
  }

  @Override
  public final void merge(
      Traits traits,
      Queries q,
      Biases biases,
      float[] parts,
      int partsAt,
      int count,
      float[] out,
      int outAt,
      int outStride) {
    int floats = partFloats(traits, q.count());
    for (int i = 1; i < count; i++) {
      add(traits, q.count(), parts, partsAt + i * floats, partsAt);
    }
    finish(traits, q, biases, parts, partsAt, out, outAt, outStride);
  }

  /** Merges the part at {@code partAt} into that of the spans before it, at {@code sumAt}. */
  private static void add(Traits traits, int queries, float[] parts, int partAt, int sumAt) {
    int floats = queryFloats(traits);
    for (int i = 0; i < queries; i++) {
      int from = partAt + i * floats;
      int to = sumAt + i * floats;
      float max = parts[from + traits.valueDim()];
      float oldMax = parts[to + traits.valueDim()];
      if (max == Float.NEGATIVE_INFINITY) {
        continue;
      }
      if (oldMax == Float.NEGATIVE_INFINITY) {
        System.arraycopy(parts, from, parts, to, floats);
        continue;
      }
      float newMax = Math.max(oldMax, max);
      float kept = ScalarMath.exp(oldMax - newMax);
      float added = ScalarMath.exp(max - newMax);
      for (int j = 0; j < traits.valueDim(); j++) {
        parts[to + j] = Math.fma(parts[from + j], added, parts[to + j] * kept);
      }
      parts[to + traits.valueDim()] = newMax;
      int lAt = traits.valueDim() + 1;
      parts[to + lAt] = Math.fma(parts[from + lAt], added, parts[to + lAt] * kept);
    }
  }

  /** Divides the sums of the merged spans by their denominators. */
  private static void finish(
      Traits traits,
      Queries q,
      Biases biases,
      float[] parts,
      int sumAt,
      float[] out,
      int outAt,
      int outStride) {
    for (int i = 0; i < q.count(); i++) {
      int from = sumAt + i * queryFloats(traits);
      int to = outAt + i / q.group() * outStride + i % q.group() * traits.valueDim();
      float max = parts[from + traits.valueDim()];
      if (max == Float.NEGATIVE_INFINITY) {
        Arrays.fill(out, to, to + traits.valueDim(), 0);
        continue;
      }
      float sum = parts[from + traits.valueDim() + 1];
      float factor = lastFactor(max, sum, biases, i % q.group());
      for (int j = 0; j < traits.valueDim(); j++) {
        out[to + j] = parts[from + j] * factor;
      }
    }
  }

  @Override
  public final void normalize(
      Traits traits,
      Queries q,
      Biases biases,
      float[] parts,
      int partsAt,
      int count,
      float[] weights,
      int weightsAt) {
    int floats = partFloats(traits, q.count());
    for (int i = 0; i < q.count(); i++) {
      int at = partsAt + i * queryFloats(traits) + traits.valueDim();
      float max = Float.NEGATIVE_INFINITY;
      float sum = 0;
      for (int span = 0; span < count; span++) {
        float more = parts[at + span * floats];
        if (more == Float.NEGATIVE_INFINITY) {
          continue;
        }
        float newMax = Math.max(max, more);
        float kept = sum * ScalarMath.exp(max - newMax);
        sum = Math.fma(parts[at + span * floats + 1], ScalarMath.exp(more - newMax), kept);
        max = newMax;
      }
      for (int span = 0; span < count && max != Float.NEGATIVE_INFINITY; span++) {
        float factor = lastFactor(max, sum, biases, i % q.group());
        factor *= ScalarMath.exp(parts[at + span * floats] - max);
        int from = weightsAt + (span * q.count() + i) * SPAN;
        for (int slot = from; slot < from + SPAN; slot++) {
          weights[slot] *= factor;
        }
      }
    }
  }

  /** What a query's sum of weighted values is multiplied by: one over the denominator. */
  private static float lastFactor(float max, float sum, Biases biases, int g) {
    if (biases.sinks() == null) {
      return 1 / sum;
    }
    float sink = biases.sinks()[biases.headAt() + g];
    float newMax = Math.max(max, sink);
    float kept = ScalarMath.exp(max - newMax);
    return kept / Math.fma(sum, kept, ScalarMath.exp(sink - newMax));
  }
}
