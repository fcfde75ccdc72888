package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;

/**
 * The settings of a latent attention layer.
 *
 * @param queryLatent values that the queries are made of; 0 if they are made of the row itself
 * @param latent values that keys and values are made of
 * @param ownDim values of a key that each head has for itself
 * @param sharedDim values of a key that all heads share, and that turn where anything does
 * @param valueDim values of a head's value
 * @param scale factor on {@code q·k}
 * @param biased whether latents and shared keys have biases
 * @param norm of the latents
 * @param rope how queries and shared keys are turned, or null
 * @param index what chooses the tokens that are attended to; null for all of them
 * @param select which keys queries visit where nothing is indexed
 */
record LatentSpec(
    int heads,
    int queryLatent,
    int latent,
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
    int valueDim = c.positive("valueDim", ownDim);
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
        c.count("queryLatent", 0),
        latent,
        ownDim,
        sharedDim,
        valueDim,
        c.real("scale", (float) (1 / Math.sqrt(ownDim + sharedDim))),
        c.flag("biased", false),
        c.flag("outBiased", false),
        c.has("norm") ? NormSpec.read(c.section("norm")) : NormSpec.rms(1e-6),
        c.has("rope") ? Rope.Spec.read(c.section("rope"), sharedDim, context) : null,
        index(c, sharedDim),
        select(c));
  }

  private static Indexer.Spec index(Config c, int sharedDim) {
    if (!c.has("index")) {
      return null;
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
    return sharedDim + latent;
  }
}
