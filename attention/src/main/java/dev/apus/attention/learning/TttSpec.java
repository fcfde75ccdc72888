package dev.apus.attention.learning;

import dev.apus.attention.rope.Rope;
import dev.apus.core.config.Config;

/**
 * The settings of a layer that trains at test time.
 *
 * @param inner what each head learns
 * @param miniBatch tokens whose gradients are taken at the same weights
 * @param rate the greatest learning rate of a head's value
 * @param taps length of the short convolutions that make queries and keys of one projection; 0
 *     where these have projections of their own
 * @param rope how queries and keys turn with the place in the mini-batch, or null
 * @param gated whether each value that goes out is multiplied by the gelu of a gate
 */
record TttSpec(
    int heads,
    InnerModel inner,
    int miniBatch,
    float rate,
    int taps,
    Rope.Spec rope,
    boolean gated,
    float epsilon) {

  static TttSpec read(Config c) {
    int heads = c.positive("heads");
    int headDim = c.positive("headDim");
    int miniBatch = c.positive("miniBatch", 16);
    int depth = c.choice("inner", "linear", "linear", "mlp").equals("linear") ? 1 : 2;
    if ((double) heads * headDim > Integer.MAX_VALUE / 4) {
      throw c.error("heads=%d of headDim=%d are more than 2^29 values a row", heads, headDim);
    }
    InnerModel inner = InnerModel.read(c, headDim, depth, 4 * headDim, true);
    Learner.check(c, inner, heads, miniBatch);
    int taps = c.count("taps", 0);
    if ((long) taps * heads * headDim > Integer.MAX_VALUE) {
      throw c.errorAt("taps", "taps=%d of a row are more than 2^31 − 1 values", taps);
    }
    return new TttSpec(
        heads,
        inner,
        miniBatch,
        c.real("rate", 1),
        taps,
        c.has("rope") ? Rope.Spec.read(c.section("rope"), headDim, miniBatch) : null,
        c.flag("gated", false),
        c.real("epsilon", 1e-6f));
  }

  int headDim() {
    return inner.dim();
  }

  /** Values of a row of all heads. */
  int cols() {
    return heads * inner.dim();
  }

  boolean sharesKeys() {
    return taps > 0;
  }
}
