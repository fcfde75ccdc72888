package dev.apus.kernels.attention;

import dev.apus.kernels.attention.Attention.IndexQuery;
import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.math.Lanes;
import dev.apus.kernels.matmul.PanelProducts;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * The scores of one index query, strip after strip of a span. Scratch holds, behind what the
 * products need, the scores of a strip, and the products of every head, {@code [head][STRIP]}.
 */
final class IndexWork {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final int L = F.length();
  private static final int STRIP = PanelProducts.STRIDE;
  private static final int SCORES_AT = PanelProducts.FLOATS;
  private static final int PRODUCTS_AT = SCORES_AT + STRIP;

  private final SpannedAttention layout;
  private final PanelProducts products;
  private final IndexQuery query;
  private final Piece keys;
  private final float[] scratch;

  IndexWork(
      SpannedAttention layout,
      PanelProducts products,
      IndexQuery query,
      Piece keys,
      float[] scratch) {
    this.layout = layout;
    this.products = products;
    this.query = query;
    this.keys = keys;
    this.scratch = scratch;
  }

  static int floats(int heads) {
    return PRODUCTS_AT + heads * STRIP;
  }

  void run(int from, int to, float[] scores, int scoresAt) {
    int heads = query.heads();
    int dim = query.headDim();
    for (int strip = from / STRIP * STRIP; strip < to; strip += STRIP) {
      Arrays.fill(scratch, PRODUCTS_AT, PRODUCTS_AT + heads * STRIP, 0);
      products.extend(
          keys.keys(),
          keys.keysAt() + layout.keyPanelAt(strip, dim),
          keys.keysAt() + layout.keyPanelAt(strip + STRIP - 1, dim),
          0,
          dim,
          query.q(),
          query.at(),
          dim,
          heads,
          scratch,
          PRODUCTS_AT);
      weigh(query.weights(), query.weightsAt(), heads, scratch);
      int first = Math.max(from, strip);
      int end = Math.min(to, strip + STRIP);
      int at = SCORES_AT + first - strip;
      System.arraycopy(scratch, at, scores, scoresAt + first - from, end - first);
    }
  }

  /** Adds up what is positive of the heads' products. */
  private static void weigh(float[] weights, int weightsAt, int heads, float[] scratch) {
    for (int i = 0; i < STRIP; i += L) {
      FloatVector score = FloatVector.zero(F);
      for (int h = 0; h < heads; h++) {
        FloatVector product = FloatVector.fromArray(F, scratch, PRODUCTS_AT + h * STRIP + i);
        score = product.max(0).fma(FloatVector.broadcast(F, weights[weightsAt + h]), score);
      }
      score.intoArray(scratch, SCORES_AT + i);
    }
  }
}
