package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.core.config.Config;

/**
 * The settings of native sparse attention.
 *
 * @param heads query heads
 * @param kvHeads heads of keys and values, each shared by {@code heads / kvHeads} query heads,
 *     which choose blocks together
 * @param headDim values of a query, a key and a value
 * @param scale factor on {@code q·k}
 * @param block slots of a block
 * @param top how many blocks a row visits at most
 * @param window how many tokens back the third branch sees, the token itself included; 0 for no
 *     such branch
 * @param biased whether queries, keys and values have biases
 * @param rope how queries and keys are turned, or null
 */
record SparseSpec(
    int heads,
    int kvHeads,
    int headDim,
    float scale,
    int block,
    int top,
    int window,
    boolean biased,
    Rope.Spec rope) {

  /** Ways of attending, each with a gate. */
  static final int BRANCHES = 3;

  static SparseSpec read(Config c, int context) {
    int heads = c.positive("heads");
    int kvHeads = c.positive("kvHeads", heads);
    if (heads % kvHeads != 0) {
      throw c.error("heads=%d is not divisible by kvHeads=%d", heads, kvHeads);
    }
    int headDim = c.positive("headDim");
    if ((long) heads * headDim > Integer.MAX_VALUE) {
      throw c.error("heads=%d of %d values are more than 2^31 − 1 values a row", heads, headDim);
    }
    return new SparseSpec(
        heads,
        kvHeads,
        headDim,
        c.real("scale", (float) (1 / Math.sqrt(headDim))),
        c.positive("block"),
        c.positive("top"),
        c.count("window", 0),
        c.flag("biased", false),
        c.has("rope") ? Rope.Spec.read(c.section("rope"), headDim, context) : null);
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
}
