package dev.apus.kernels.attention;

import dev.apus.kernels.attention.Attention.Biases;
import dev.apus.kernels.attention.Attention.Levels;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Queries;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.math.ScalarSums;
import dev.apus.kernels.matmul.PanelProducts;
import java.util.Arrays;

/**
 * One tile of queries and one span.
 *
 * <p>Scratch holds, behind what the products need: the queries, row by row and side by side; their
 * scores, which become weights, {@code [strip][query][STRIP]}; and their sums of values, {@code
 * [strip of coordinates][query][STRIP]}.
 */
final class SpanWork {

  /** Slots, or coordinates of values, that the products work on together. */
  private static final int STRIP = PanelProducts.STRIDE;

  private static final int SPAN = Attention.SPAN;
  private static final int LANES = SpannedAttention.LANES;
  private static final int BLOCK = SpannedAttention.BLOCK;

  /** Partial sums of a denominator, before anything else. */
  private static final int PARTIALS_AT = PanelProducts.FLOATS;

  private static final int QUERIES_AT = PARTIALS_AT + 16;

  private final SpannedAttention layout;
  private final PanelProducts products;
  private final Traits traits;
  private final Queries q;
  private final VisitedSlots slots;
  private final Stored spans;
  private final Piece stored;
  private final Biases biases;
  private final float[] scratch;
  private final int queries;
  private final int scoresAt;
  private final int sumsAt;

  SpanWork(
      SpannedAttention layout,
      PanelProducts products,
      Traits traits,
      Queries q,
      VisitedSlots slots,
      Stored spans,
      int span,
      Biases biases,
      float[] scratch) {
    this.layout = layout;
    this.products = products;
    this.traits = traits;
    this.q = q;
    this.slots = slots;
    this.spans = spans;
    this.stored = spans.piece(span);
    this.biases = biases;
    this.scratch = scratch;
    this.queries = q.count();
    this.scoresAt = QUERIES_AT + queries * traits.headDim();
    this.sumsAt = scoresAt + queries * SPAN;
  }

  static int floats(Traits traits, int queries) {
    int sums = Math.ceilDiv(traits.valueDim(), STRIP) * STRIP;
    return QUERIES_AT + queries * (traits.headDim() + SPAN + sums);
  }

  /** Where the scores of a query in the strip with a slot begin. */
  private int scoreAt(int slot, int query) {
    return scoresAt + (slot % SPAN / STRIP * queries + query) * STRIP;
  }

  private int sumAt(int coordinate, int query) {
    return sumsAt + (coordinate / STRIP * queries + query) * STRIP;
  }

  private int position(int query) {
    return q.position() + query / q.group();
  }

  /** Multiplies the queries by the keys of every strip that some row sees. */
  void score() {
    int width = q.group() * traits.headDim();
    for (int r = 0; r < q.rows(); r++) {
      System.arraycopy(q.data(), q.at() + r * q.stride(), scratch, QUERIES_AT + r * width, width);
    }
    int slot = slots.next(0);
    while (slot >= 0) {
      int strip = slot / STRIP * STRIP;
      // Rows stand in order, and so do the first and last slots that they see.
      int from = 0;
      while (from < queries && slots.end(position(from)) <= strip) {
        from += q.group();
      }
      int to = queries;
      while (to > from && slots.first(position(to - 1)) >= strip + STRIP) {
        to -= q.group();
      }
      score(strip, from, to - from);
      slot = slots.next(strip + STRIP);
    }
  }

  private void score(int strip, int query, int count) {
    Arrays.fill(scratch, scoreAt(strip, query), scoreAt(strip, query + count), 0);
    long near = stored.keysAt() + layout.keyPanelAt(strip, traits.headDim());
    long far = stored.keysAt() + layout.keyPanelAt(strip + STRIP - 1, traits.headDim());
    products.extend(
        stored.keys(),
        near,
        far,
        0,
        traits.headDim(),
        scratch,
        QUERIES_AT + query * traits.headDim(),
        traits.headDim(),
        count,
        scratch,
        scoreAt(strip, query));
  }

  /**
   * Writes the scaled scores of the visited slots, which all follow one another.
   *
   * @param at where the score of the first query with slot 0 would be; those of the next query are
   *     {@code stride} apart
   */
  void scores(float[] scores, int at, int stride) {
    int first = slots.next(0);
    int end = slots.last(Integer.MAX_VALUE);
    for (int i = 0; i < queries; i++) {
      int to = at + i * stride;
      for (int slot = first; slot < end; ) {
        int count = Math.min(end, (slot / STRIP + 1) * STRIP) - slot;
        int scoreAt = scoreAt(slot, i) + slot % STRIP;
        for (int j = 0; j < count; j++) {
          scores[to + slot + j] = scratch[scoreAt + j] * traits.scale();
        }
        slot += count;
      }
    }
  }

  /** Turns scores into weights, and writes each query's greatest score and denominator. */
  void weigh(float[] part, int partAt) {
    int floats = SpannedAttention.queryFloats(traits);
    for (int i = 0; i < queries; i++) {
      int at = partAt + i * floats + traits.valueDim();
      part[at] = Float.NEGATIVE_INFINITY;
      int from = slots.next(slots.first(position(i)));
      int to = slots.last(slots.end(position(i)));
      if (from >= 0 && from < to) {
        weigh(i, from, to, part, at);
      }
    }
  }

  /** Weighs the slots {@code [from, to)}, of which the query sees the first and the last. */
  private void weigh(int i, int from, int to, float[] part, int at) {
    int first = from / STRIP * STRIP;
    int count = ((to - 1) / STRIP + 1) * STRIP - first;
    int scoreAt = scoreAt(first, i);
    int step = queries * STRIP;
    float max = SpanWeights.scale(traits.scale(), scratch, scoreAt, step, count);
    Levels levels = stored.levels();
    boolean bent = traits.softcap() != 0 || biases.slopes() != null || levels != null;
    if (traits.softcap() != 0) {
      SpanWeights.cap(traits.softcap(), scratch, scoreAt, step, count);
    }
    if (biases.slopes() != null) {
      float slope = biases.slopes()[biases.headAt() + i % q.group()];
      int distance = first - position(i);
      SpanWeights.incline(slope, distance, scratch, scoreAt, step, count);
    }
    if (levels != null) {
      int head = i % q.group();
      float level = SpannedAttention.level(spans, stored, head, position(i));
      long sumsAt = levels.sumAt(head, first);
      SpanWeights.fade(level, levels.memory(), sumsAt, scratch, scoreAt, step, count);
    }
    if (hide(i, first, from, to, first + count) || bent) {
      max = SpanWeights.scale(1, scratch, scoreAt, step, count);
    }
    part[at] = max;
    if (max != Float.NEGATIVE_INFINITY) {
      SpanWeights.weigh(max, scratch, scoreAt, step, count, scratch, PARTIALS_AT);
      part[at + 1] = ScalarSums.tree(scratch, PARTIALS_AT);
    }
  }

  /**
   * Makes scores of slots {@code [first, end)} −∞ that the query does not see, if there are any.
   */
  private boolean hide(int i, int first, int from, int to, int end) {
    boolean hidden = false;
    int next = first;
    for (int r = 0; r < slots.count; r++) {
      int start = Math.max(from, slots.ranges[2 * r]);
      int stop = Math.min(to, slots.ranges[2 * r + 1]);
      if (start < stop) {
        hidden |= next < start;
        hide(i, next, start);
        next = stop;
      }
    }
    hide(i, next, end);
    return hidden || next < end;
  }

  private void hide(int i, int from, int to) {
    for (int slot = from; slot < to; slot++) {
      scratch[scoreAt(slot, i) + slot % STRIP] = Float.NEGATIVE_INFINITY;
    }
  }

  /** Writes what {@link #weigh} has made of each query's scores. */
  void copyWeights(float[] part, int partAt, float[] weights, int weightsAt) {
    int floats = SpannedAttention.queryFloats(traits);
    for (int i = 0; i < queries; i++) {
      int at = weightsAt + i * SPAN;
      Arrays.fill(weights, at, at + SPAN, 0);
      if (part[partAt + i * floats + traits.valueDim()] != Float.NEGATIVE_INFINITY) {
        int from = slots.next(slots.first(position(i))) / STRIP * STRIP;
        int to = slots.last(slots.end(position(i)));
        for (int strip = from; strip < to; strip += STRIP) {
          System.arraycopy(scratch, scoreAt(strip, i), weights, at + strip % SPAN, STRIP);
        }
      }
    }
  }

  /** Sums up the weighted values. */
  void mix(float[] part, int partAt) {
    int valueDim = traits.valueDim();
    Arrays.fill(scratch, sumsAt, sumAt(valueDim + STRIP - 1, 0), 0);
    for (int r = 0; r < slots.count; r++) {
      for (int slot = slots.ranges[2 * r]; slot < slots.ranges[2 * r + 1]; ) {
        int end = Math.min(slots.ranges[2 * r + 1], (slot / STRIP + 1) * STRIP);
        mix(slot, end);
        slot = end;
      }
    }
    int floats = SpannedAttention.queryFloats(traits);
    for (int i = 0; i < queries; i++) {
      for (int j = 0; j < valueDim; j += STRIP) {
        int count = Math.min(STRIP, valueDim - j);
        System.arraycopy(scratch, sumAt(j, i), part, partAt + i * floats + j, count);
      }
    }
  }

  /**
   * Adds the values of visited slots {@code [from, to)} of one strip: those that every row sees for
   * all queries together, and those before and after them for each row.
   */
  private void mix(int from, int to) {
    int everyFrom = Math.max(from, slots.first(position(queries - 1)));
    int everyTo = Math.max(everyFrom, Math.min(to, slots.end(q.position())));
    everyFrom = Math.min(everyFrom, to);
    everyTo = Math.min(everyTo, to);
    if (from < everyFrom) {
      mixRows(from, everyFrom);
    }
    if (everyFrom < everyTo) {
      mix(0, queries, everyFrom, everyTo);
    }
    if (everyTo < to) {
      mixRows(everyTo, to);
    }
  }

  private void mixRows(int from, int to) {
    for (int r = 0; r < q.rows(); r++) {
      int start = Math.max(from, slots.first(q.position() + r));
      int end = Math.min(to, slots.end(q.position() + r));
      if (start < end) {
        mix(r * q.group(), q.group(), start, end);
      }
    }
  }

  private void mix(int query, int count, int from, int to) {
    int panels = SpannedAttention.valuePanels(traits.valueDim());
    for (int panel = 0; panel < panels; panel += STRIP / LANES) {
      int far = Math.min(panel + STRIP / LANES, panels) - 1;
      products.extend(
          stored.values(),
          stored.valuesAt() + layout.valuePanelAt(from, panel, traits.valueDim()),
          stored.valuesAt() + layout.valuePanelAt(from, far, traits.valueDim()),
          from % BLOCK,
          to - from,
          scratch,
          scoreAt(from, query) + from % STRIP,
          STRIP,
          count,
          scratch,
          sumAt(panel * LANES, query));
    }
  }
}
