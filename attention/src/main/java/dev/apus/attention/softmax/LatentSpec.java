package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;

/**
 * The settings of a latent attention layer.
 *
 * @param groups latents of a token, each for the same number of heads
 * @param queryLatent values that the queries are made of; 0 if they are made of the row itself
 * @param latent values of a latent, that keys and values are made of
 * @param tied whether a latent is the value itself and its first values are the key, so that
 *     nothing is made of it
 * @param ownDim values of a key that each head has for itself
 * @param sharedDim values of a key that all heads share, and that turn where anything does
 * @param valueDim values of a head's value
 * @param scale factor on {@code q·k}
 * @param biased whether latents and shared keys have biases
 * @param norm of the latents, or null
 * @param rope how queries and shared keys are turned, or null
 * @param index what chooses the tokens that are attended to; null for all of them
 * @param select which keys queries visit where nothing is indexed
 */
record LatentSpec(
    int heads,
    int groups,
    int queryLatent,
    int latent,
    boolean tied,
    int ownDim,
    int sharedDim,
    int valueDim,
    float scale,
    boolean biased,
    boolean outBiased,
    NormSpec norm,
    Rope.Spec rope,
    Indexer.Spec index,
    Selections.Maker select) {

  static LatentSpec read(Config c, int context) {
    int heads = c.positive("heads");
    int latent = c.positive("latent");
    int ownDim = c.positive("ownDim");
    int sharedDim = c.count("sharedDim", 0);
    boolean tied = c.flag("tied", false);
    int valueDim = c.positive("valueDim", tied ? latent : ownDim);
    int groups = c.positive("groups", 1);
    if (heads % groups != 0) {
      throw c.error("heads=%d cannot share groups=%d latents evenly", heads, groups);
    }
    if (tied && (ownDim > latent || valueDim != latent)) {
      throw c.error(
          "a tied latent holds the key and is the value: ownDim=%d must be at most latent=%d, and"
              + " valueDim=%d that",
          ownDim, latent, valueDim);
    }
    long widest = Math.max(Math.max(ownDim, latent) + (long) sharedDim, valueDim);
    if (heads * widest > Integer.MAX_VALUE) {
      throw c.error("heads=%d of %d values are more than 2^31 − 1 values a row", heads, widest);
    }
    if (latent * (double) heads * Math.max(ownDim, valueDim) > Integer.MAX_VALUE) {
      throw c.error(
          "heads=%d with latent=%d have matrices of more than 2^31 − 1 values", heads, latent);
    }
    if (sharedDim == 0 && c.has("rope")) {
      throw c.errorAt("rope", "rope turns what heads share of a key, and sharedDim=0");
    }
    return new LatentSpec(
        heads,
        groups,
        c.count("queryLatent", 0),
        latent,
        tied,
        ownDim,
        sharedDim,
        valueDim,
        c.real("scale", (float) (1 / Math.sqrt(ownDim + sharedDim))),
        c.flag("biased", false),
        c.flag("outBiased", false),
        norm(c, tied),
        c.has("rope") ? Rope.Spec.read(c.section("rope"), sharedDim, context) : null,
        index(c, sharedDim),
        select(c));
  }

  private static NormSpec norm(Config c, boolean tied) {
    if (c.has("norm")) {
      return NormSpec.read(c.section("norm"));
    }
    return tied ? null : NormSpec.rms(1e-6);
  }

  private static Indexer.Spec index(Config c, int sharedDim) {
    if (!c.has("index")) {
      return null;
    }
    if (c.positive("groups", 1) > 1 || c.flag("tied", false)) {
      throw c.errorAt("index", "what an index chooses has one latent, which is not tied");
    }
    if (c.count("queryLatent", 0) == 0) {
      throw c.errorAt("index", "an index asks by the latents of the queries, and queryLatent=0");
    }
    return Indexer.Spec.read(c.section("index"), c.has("rope") ? sharedDim : 0);
  }

  private static Selections.Maker select(Config c) {
    if (c.has("index") && c.has("select")) {
      throw c.errorAt("select", "a layer has an index or a selection, found both");
    }
    return Selections.read(c, 0, 0);
  }

  int queryDim() {
    return ownDim + sharedDim;
  }

  /** Values of a key in the cache. */
  int keyDim() {
    return sharedDim + (tied ? ownDim : latent);
  }
}
