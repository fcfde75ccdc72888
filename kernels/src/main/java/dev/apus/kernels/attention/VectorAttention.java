package dev.apus.kernels.attention;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.matmul.PanelProducts;

/**
 * {@link Attention} as two products of panels with the weights between: the scores of all queries,
 * strip after strip of the span, and the sums of all queries' weighted values.
 */
public final class VectorAttention extends SpannedAttention {

  private static final Biases NO_BIASES = new Biases(null, null, 0);

  private final PanelProducts products;

  public VectorAttention(CacheFormat format) {
    super(format);
    this.products =
        columns instanceof AffineColumns affine
            ? PanelProducts.ofColumns(affine.bits())
            : PanelProducts.of(format == CacheFormat.F32 ? WeightFormat.F32 : WeightFormat.BF16);
  }

  @Override
  int spanFloats(Traits traits, int queries) {
    return SpanWork.floats(traits, queries);
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
    var all = new Visited(new int[] {from, to}, 1, false, 0);
    for (int slot = from; slot < to; slot = (slot / SPAN + 1) * SPAN) {
      int span = slot / SPAN;
      var slots = new VisitedSlots(all, 0, 0, span * SPAN, (span + 1) * SPAN);
      var work = new SpanWork(this, products, traits, q, slots, stored, span, NO_BIASES, scratch);
      work.score();
      work.scores(scores, scoresAt - from, scoresStride);
    }
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
    work.mix(part, partAt);
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
