package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;

/**
 * The settings of attention to a window and to compressed entries.
 *
 * @param headDim values of a head's query, and of the one key of a token, which is its value too
 * @param queryLatent values that the queries are made of
 * @param window how many tokens back a token sees, itself included
 * @param outGroups groups of heads that are projected apart
 * @param outLatent values that each group is projected to
 * @param scale factor on {@code q·k}
 * @param sinks whether each head has a learned score that nothing is attended for
 * @param norm of latents, keys and entries, and of each query without weights
 * @param rope how the last values of queries, keys and entries turn
 * @param entries what becomes of tokens past the window; null if nothing does
 */
record CompressedSpec(
    int heads,
    int headDim,
    int queryLatent,
    int window,
    int outGroups,
    int outLatent,
    float scale,
    boolean sinks,
    NormSpec norm,
    Rope.Spec rope,
    Entries entries) {

  /**
   * How tokens are compressed.
   *
   * @param rate tokens that make an entry
   * @param overlapping whether the tokens before these are part of it, too
   * @param index what chooses the entries that are attended to; null for all of them
   */
  record Entries(int rate, boolean overlapping, Index index) {}

  /**
   * How entries are chosen.
   *
   * @param top how many a token attends to, at most
   */
  record Index(int heads, int headDim, int top) {}

  static CompressedSpec read(Config c, int context) {
    int heads = c.positive("heads");
    int headDim = c.positive("headDim");
    int groups = c.positive("outGroups", 1);
    if (heads % groups != 0) {
      throw c.errorAt("outGroups", "heads=%d is not divisible by outGroups=%d", heads, groups);
    }
    long widest = Math.max((long) heads * headDim, (long) groups * c.positive("outLatent"));
    if (widest > Integer.MAX_VALUE) {
      throw c.error("heads=%d of %d values are more than 2^31 − 1 values a row", heads, headDim);
    }
    Rope.Spec rope = Rope.Spec.read(c.section("rope"), headDim, context);
    return new CompressedSpec(
        heads,
        headDim,
        c.positive("queryLatent"),
        c.positive("window"),
        groups,
        c.positive("outLatent"),
        c.real("scale", (float) (1 / Math.sqrt(headDim))),
        c.flag("sinks", false),
        c.has("norm") ? NormSpec.read(c.section("norm")) : NormSpec.rms(1e-6),
        rope,
        c.has("entries") ? entries(c.section("entries"), rope.dims()) : null);
  }

  private static Entries entries(Config c, int turned) {
    Entries entries =
        new Entries(
            c.positive("rate"),
            c.flag("overlapping", false),
            c.has("index") ? index(c.section("index"), turned) : null);
    refuseUnread(c);
    return entries;
  }

  private static Index index(Config c, int turned) {
    Index index = new Index(c.positive("heads"), c.positive("headDim"), c.positive("top"));
    if (index.headDim < turned) {
      throw c.errorAt(
          "headDim", "headDim=%d must hold the dims=%d that turn", index.headDim, turned);
    }
    if ((long) index.heads * index.headDim > Integer.MAX_VALUE) {
      throw c.error(
          "heads=%d of %d values are more than 2^31 − 1 values a row", index.heads, index.headDim);
    }
    refuseUnread(c);
    return index;
  }

  private static void refuseUnread(Config c) {
    if (!c.unread().isEmpty()) {
      throw c.error("%s is not a setting of compressed entries", c.unread().getFirst());
    }
  }

  int cols() {
    return heads * headDim;
  }
}
