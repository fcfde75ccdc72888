package dev.apus.kernels.attention;

import dev.apus.kernels.matmul.PanelProducts;

/**
 * {@link Attention} as two products of panels with the weights between: the scores of all queries,
 * strip after strip of the span, and the sums of all queries' weighted values.
 */
public final class VectorAttention extends SpannedAttention {

  private final PanelProducts products;

  public VectorAttention(CacheFormat format) {
    super(format);
    this.products = PanelProducts.of(format.value());
  }

  @Override
  int spanFloats(Traits traits, int queries) {
    return SpanWork.floats(traits, queries);
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
    int last = q.position() + q.rows() - 1;
    var slots = new VisitedSlots(visited, q.position(), last, span * SPAN, (span + 1) * SPAN);
    var work = new SpanWork(this, products, traits, q, slots, stored, span, biases, scratch);
    work.score();
    work.weigh(part, partAt);
    work.mix(part, partAt);
  }

  @Override
  public int indexFloats(int heads) {
    return IndexWork.floats(heads);
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
    new IndexWork(this, products, query, keys, scratch).run(from, to, scores, scoresAt);
  }
}
