package dev.apus.attention.linearized;

import dev.apus.attention.linear.FeatureSpec;
import dev.apus.attention.rope.Rope;
import dev.apus.core.config.Config;

/**
 * The settings of a linearised attention layer.
 *
 * @param heads query heads
 * @param kvHeads heads of keys and values, each shared by {@code heads / kvHeads} query heads
 * @param headDim values of a head's query, key or value
 * @param scale factor on {@code q·k} in the window
 * @param window how many tokens back the window reaches, the token itself included
 * @param rope how queries and keys of the window are turned, or null
 * @param features what queries and keys of the memory are
 * @param join what becomes of the two
 * @param affine whether the memory's factor is 1 less the window's, instead of 1
 * @param share the window's share of the sum
 * @param root keys are forgotten by this root of their own gate; 0 for nothing
 */
record LinearizedSpec(
    int heads,
    int kvHeads,
    int headDim,
    float scale,
    int window,
    Rope.Spec rope,
    FeatureSpec features,
    Join join,
    boolean affine,
    float share,
    int root) {

  /** What becomes of the window and the memory. */
  enum Join {
    /** One sum of weights for both; the memory is of tokens that have left the window. */
    DENOMINATOR,
    /** A weighted sum of both; the memory is of all tokens. */
    SUM
  }

  /**
   * @param context the longest sequence the model was made for
   */
  static LinearizedSpec read(Config c, int context) {
    int heads = c.positive("heads");
    int kvHeads = c.positive("kvHeads", heads);
    if (heads % kvHeads != 0) {
      throw c.error("heads=%d is not divisible by kvHeads=%d", heads, kvHeads);
    }
    int headDim = c.positive("headDim");
    Rope.Spec rope = c.has("rope") ? Rope.Spec.read(c.section("rope"), headDim, context) : null;
    if (rope != null && rope.dependsOnLimit()) {
      throw c.errorAt(
          "rope", "a rope that depends on how long a sequence may become is not supported here");
    }
    FeatureSpec features = FeatureSpec.read(c.section("features"), headDim, context);
    double size = features.features(headDim);
    int window = c.positive("window");
    if (heads * size * (headDim + 1.0) > Integer.MAX_VALUE
        || window * (double) heads * Math.max(size, headDim + 1) > Integer.MAX_VALUE / 2) {
      throw c.error(
          "heads=%d of %s features, headDim=%d and window=%d are more than 2^31 − 1 values",
          heads, (long) size, headDim, window);
    }
    if (features.isScaled()) {
      throw c.errorAt(
          "features", "features of map=\"favor\" are kept divided, and cannot be joined here");
    }
    boolean joined = c.choice("join", "denominator", "denominator", "sum").equals("denominator");
    int root = joined ? 0 : c.count("decayRoot", 0);
    if (root > 0 && size != headDim) {
      throw c.errorAt(
          "decayRoot",
          "decayRoot=%d needs as many features as a key has values, %d; found %s",
          root,
          headDim,
          (long) size);
    }
    return new LinearizedSpec(
        heads,
        kvHeads,
        headDim,
        c.real("scale", (float) (1 / Math.sqrt(headDim))),
        window,
        rope,
        features,
        joined ? Join.DENOMINATOR : Join.SUM,
        joined && c.flag("affine", false),
        joined ? 0 : c.real("share", 0.5f),
        root);
  }

  int group() {
    return heads / kvHeads;
  }

  int queryCols() {
    return heads * headDim;
  }

  int keyCols() {
    return kvHeads * headDim;
  }

  boolean isJoined() {
    return join == Join.DENOMINATOR;
  }

  /** Values of a head's value in the memory. */
  int memoryCols() {
    return isJoined() ? headDim + 1 : headDim;
  }
}
