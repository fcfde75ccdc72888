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
    SpanWork work = work(traits, q, visited, span, stored, biases, scratch);
    work.score();
    work.weigh(part, partAt);
    work.mix(part, partAt);
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
    SpanWork work = work(traits, q, visited, span, stored, biases, scratch);
    work.score();
    work.weigh(part, partAt);
    work.copyWeights(part, partAt, weights, weightsAt);
  }

  private SpanWork work(
      Traits traits,
      Queries q,
      Visited visited,
      int span,
      Stored stored,
      Biases biases,
      float[] scratch) {
    int last = q.position() + q.rows() - 1;
    var slots = new VisitedSlots(visited, q.position(), last, span * SPAN, (span + 1) * SPAN);
    return new SpanWork(this, products, traits, q, slots, stored, span, biases, scratch);
  }
}
