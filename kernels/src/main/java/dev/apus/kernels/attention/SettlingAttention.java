package dev.apus.kernels.attention;

import java.util.function.Function;

/**
 * {@link Attention} over slots that settle: a query sees those of its own span as they were stored,
 * and those of the spans before in the memory that a value has in the long run.
 *
 * <p>Which of the two a query sees follows from its position alone, so it does not show how a text
 * was cut into calls. A span settles as a whole, so that 32 neighbouring slots can be rounded
 * together in each coordinate of their keys, which differ less from one another than the
 * coordinates of a key do; values are rounded slot by slot, 32 coordinates at a time.
 *
 * @see <a href="https://arxiv.org/abs/2402.02750">KIVI</a>
 */
public final class SettlingAttention extends SpannedAttention {

  private final SpannedAttention settled;
  private final SpannedAttention recent;

  private SettlingAttention(SpannedAttention settled, SpannedAttention recent) {
    super(settled.format());
    this.settled = settled;
    this.recent = recent;
  }

  /** The definition of attention over any format. */
  public static Attention scalar(CacheFormat format) {
    return of(format, ScalarAttention::new);
  }

  /** Attention over any format, with the Vector API. */
  public static Attention vector(CacheFormat format) {
    return of(format, VectorAttention::new);
  }

  /** The attention over a format, made of those over formats that do not settle. */
  private static Attention of(CacheFormat format, Function<CacheFormat, SpannedAttention> make) {
    SpannedAttention settled = make.apply(format);
    return format.settles() ? new SettlingAttention(settled, make.apply(format.recent())) : settled;
  }

  @Override
  public Attention recent() {
    return recent;
  }

  @Override
  public void settle(int headDim, int valueDim, int span, Piece from, Piece to) {
    float[] column = new float[LANES];
    int bytes = recent.columns.bytes();
    for (int slot = span * SPAN; slot < (span + 1) * SPAN; slot += LANES) {
      long near = from.keysAt() + recent.keyPanelAt(slot, headDim);
      long far = to.keysAt() + keyPanelAt(slot, headDim);
      for (int d = 0; d < headDim; d++) {
        recent.columns.load(from.keys(), near + (long) d * bytes, 0, column, 0, LANES);
        columns.encode(column, 0, to.keys(), far + (long) d * columns.bytes(), LANES);
      }
    }
    for (int slot = span * SPAN; slot < (span + 1) * SPAN; slot++) {
      for (int j = 0; j < valueDim; j += LANES) {
        int count = Math.min(LANES, valueDim - j);
        long near = from.valuesAt() + recent.valueColumnAt(slot, j / LANES, valueDim);
        long far = to.valuesAt() + valueColumnAt(slot, j / LANES, valueDim);
        recent.columns.load(from.values(), near, 0, column, 0, count);
        columns.encode(column, 0, to.values(), far, count);
      }
    }
    if (from.levels() != null) {
      from.levels().copy(to.levels(), SPAN);
    }
  }

  private boolean isRecent(int slot, int position) {
    return slot / SPAN >= position / SPAN;
  }

  @Override
  public void loadKeys(Stored stored, int position, int headDim, int slot, float[] k, int kAt) {
    if (isRecent(slot, position)) {
      recent.loadKeys(stored::recent, position, headDim, slot, k, kAt);
    } else {
      settled.loadKeys(stored, position, headDim, slot, k, kAt);
    }
  }

  @Override
  public void loadValues(Stored stored, int position, int valueDim, int slot, float[] v, int vAt) {
    if (isRecent(slot, position)) {
      recent.loadValues(stored::recent, position, valueDim, slot, v, vAt);
    } else {
      settled.loadValues(stored, position, valueDim, slot, v, vAt);
    }
  }

  @Override
  int spanFloats(Traits traits, int queries) {
    return Math.max(settled.spanFloats(traits, queries), recent.spanFloats(traits, queries));
  }

  /** What is computed of some of the rows. */
  private interface Rows {
    void compute(SpannedAttention attention, Queries q, Stored stored, int row);
  }

  /** Computes the rows up to those that stand in a span, and the rows behind them. */
  private void eachKind(Queries q, int span, Stored stored, Rows rows) {
    int count = Math.clamp((span + 1L) * SPAN - q.position(), 0, q.rows());
    if (count > 0) {
      rows.compute(recent, part(q, 0, count), stored::recent, 0);
    }
    if (count < q.rows()) {
      rows.compute(settled, part(q, count, q.rows()), stored, count);
    }
  }

  private static Queries part(Queries q, int from, int to) {
    int at = q.at() + from * q.stride();
    return new Queries(q.data(), at, q.stride(), to - from, q.group(), q.position() + from);
  }

  @Override
  public void attendSpan(
      Traits traits,
      Queries q,
      Visited visited,
      int span,
      Stored stored,
      Biases biases,
      float[] part,
      int partAt,
      float[] scratch) {
    eachKind(
        q,
        span,
        stored,
        (attention, some, seen, row) -> {
          int at = partAt + partFloats(traits, row * q.group());
          attention.attendSpan(traits, some, visited, span, seen, biases, part, at, scratch);
        });
  }

  @Override
  public void weighSpan(
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
      float[] scratch) {
    eachKind(
        q,
        span,
        stored,
        (attention, some, seen, row) -> {
          int at = partAt + partFloats(traits, row * q.group());
          int to = weightsAt + row * q.group() * SPAN;
          attention.weighSpan(
              traits, some, visited, span, seen, biases, part, at, weights, to, scratch);
        });
  }

  @Override
  public void score(
      Traits traits,
      Queries q,
      int from,
      int to,
      Stored stored,
      float[] scores,
      int scoresAt,
      int scoresStride,
      float[] scratch) {
    for (int slot = from; slot < to; slot = (slot / SPAN + 1) * SPAN) {
      int start = slot;
      int end = Math.min(to, (slot / SPAN + 1) * SPAN);
      eachKind(
          q,
          slot / SPAN,
          stored,
          (attention, some, seen, row) -> {
            int at = scoresAt + row * q.group() * scoresStride + start - from;
            attention.score(traits, some, start, end, seen, scores, at, scoresStride, scratch);
          });
    }
  }

  @Override
  public int indexFloats(int heads) {
    throw noIndex();
  }

  @Override
  public void index(
      IndexQuery query,
      Piece keys,
      int from,
      int to,
      float[] scores,
      int scoresAt,
      float[] scratch) {
    throw noIndex();
  }

  private UnsupportedOperationException noIndex() {
    return new UnsupportedOperationException("an index over " + format() + " keys");
  }
}
