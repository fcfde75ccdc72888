package dev.apus.attention.softmax;

import dev.apus.attention.rope.Rope;
import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;
import java.util.Objects;

/**
 * The settings of a softmax attention layer.
 *
 * @param heads query heads
 * @param kvHeads heads of keys and values, each shared by {@code heads / kvHeads} query heads
 * @param valueDim values of a head's value
 * @param scale factor on {@code q·k}
 * @param softcap scores become {@code softcap · tanh(score / softcap)}; 0 for none
 * @param select which keys a query visits
 * @param alibi factor on the linear position biases; 0 for none
 * @param forgets whether each head has a forget gate, whose logarithms between two tokens are added
 *     to their score
 * @param biased whether queries, keys and values have biases
 * @param projected whether the heads' values are projected to the rows that are written, instead of
 *     being those rows
 * @param adapter rank of the adapters of queries, keys and values; 0 for none
 * @param outNorm how each head's output is normalised, before its gate; or null
 * @param gated whether each output value is multiplied by the sigmoid of a gate
 * @param gateRank how many values gates are made of; 0 for the row itself
 * @param sinks whether each head has a learned score that nothing is attended for
 * @param rounded how rows are normalised before each projection, which then reads them rounded, or
 *     null
 * @param norm how queries and keys are normalised, or null
 * @param normOver what has a mean of its own
 * @param normAfterRope whether they are normalised after they have been turned
 * @param clip the largest magnitude of a value in queries, keys and values; 0 for any
 * @param rope how queries and keys are turned, or null
 * @param keysAreValues whether values are what keys are before they are normalised and turned
 * @param valueNorm how each head's value is normalised, or null
 * @param keep how many tokens a query sees in each key head, those of the greatest scores of a
 *     {@link DynamicMask}; 0 for layers without one
 * @param difference how the difference of the first and the second half of the heads is normalised,
 *     which have their values together; null where heads do not come in pairs
 */
record AttentionSpec(
    int heads,
    int kvHeads,
    int headDim,
    int valueDim,
    float scale,
    float softcap,
    Selections.Maker select,
    float alibi,
    boolean forgets,
    boolean biased,
    boolean outBiased,
    boolean projected,
    int adapter,
    NormSpec outNorm,
    boolean gated,
    int gateRank,
    boolean sinks,
    NormSpec rounded,
    NormSpec norm,
    NormOver normOver,
    boolean normAfterRope,
    float clip,
    Rope.Spec rope,
    boolean keysAreValues,
    NormSpec valueNorm,
    int keep,
    NormSpec difference,
    Temperature temperature) {

  /** What a query–key norm takes the mean over. */
  enum NormOver {
    /** Each head, with one weight for all heads. */
    HEAD,
    /** Each head, with a weight for each. */
    EACH_HEAD,
    /** All heads together. */
    ROW
  }

  static AttentionSpec read(Config c, int context) {
    int heads = c.positive("heads");
    int kvHeads = c.positive("kvHeads", heads);
    if (heads % kvHeads != 0) {
      throw c.error("heads=%d is not divisible by kvHeads=%d", heads, kvHeads);
    }
    int headDim = c.positive("headDim");
    int valueDim = c.positive("valueDim", headDim);
    int largest = Math.max(headDim, valueDim);
    if ((long) heads * largest > Integer.MAX_VALUE) {
      throw c.error("heads=%d of %d values are more than 2^31 − 1 values a row", heads, largest);
    }
    Config norm = c.has("norm") ? c.section("norm") : null;
    NormOver over = NormOver.HEAD;
    boolean after = false;
    if (norm != null) {
      over =
          switch (norm.choice("over", "head", "head", "each-head", "row")) {
            case "head" -> NormOver.HEAD;
            case "each-head" -> NormOver.EACH_HEAD;
            default -> NormOver.ROW;
          };
      after = norm.flag("afterRope", false);
    }
    int window = c.count("window", 0);
    int pinned = c.count("pinned", 0);
    if (pinned > 0 && window == 0) {
      throw c.errorAt(
          "pinned", "pinned=%d needs a window: without one, every token sees the first", pinned);
    }
    boolean gated = c.flag("gated", false);
    int gateRank = c.count("gateRank", 0);
    if (gateRank > 0 && !gated) {
      throw c.errorAt("gateRank", "gateRank=%d needs gated=true", gateRank);
    }
    float clip = c.real("clip", 0);
    if (clip < 0) {
      throw c.errorAt("clip", "clip=%s must not be negative", clip);
    }
    return new AttentionSpec(
        heads,
        kvHeads,
        headDim,
        valueDim,
        c.real("scale", (float) (1 / Math.sqrt(headDim))),
        c.real("softcap", 0),
        Selections.read(c),
        c.real("alibi", 0),
        c.flag("forgets", false),
        c.flag("biased", false),
        c.flag("outBiased", false),
        c.flag("projected", true),
        c.count("adapter", 0),
        c.has("outNorm") ? NormSpec.read(c.section("outNorm")) : null,
        gated,
        gateRank,
        c.flag("sinks", false),
        rounded(c),
        norm == null ? null : NormSpec.read(norm),
        over,
        after,
        clip,
        c.has("rope") ? Rope.Spec.read(c.section("rope"), headDim, context) : null,
        keysAreValues(c, headDim, valueDim),
        c.has("valueNorm") ? NormSpec.read(c.section("valueNorm")) : null,
        keep(c),
        difference(c, kvHeads),
        c.has("temperature") ? Temperature.read(c.section("temperature")) : null);
  }

  private static int keep(Config c) {
    int keep = c.count("keep", 0);
    if (keep > 0 && c.has("select")) {
      throw c.errorAt("select", "keep=%d chooses what is seen, and select does so, too", keep);
    }
    if (keep > 0
        && (c.count("window", 0) > 0 || c.flag("forgets", false) || c.flag("sinks", false))) {
      throw c.errorAt("keep", "keep=%d needs a layer without window, forgets and sinks", keep);
    }
    return keep;
  }

  private static NormSpec difference(Config c, int kvHeads) {
    if (!c.has("difference")) {
      return null;
    }
    if (kvHeads % 2 != 0 || c.flag("keysAreValues", false)) {
      throw c.errorAt(
          "difference", "difference needs an even number of kvHeads, whose keys are not values");
    }
    return NormSpec.read(c.section("difference"));
  }

  private static boolean keysAreValues(Config c, int headDim, int valueDim) {
    if (!c.flag("keysAreValues", false)) {
      return false;
    }
    if (headDim != valueDim || c.has("rounded") || c.count("adapter", 0) > 0) {
      throw c.errorAt(
          "keysAreValues",
          "keysAreValues=true needs valueDim to be headDim, and neither rounded nor adapter");
    }
    return true;
  }

  private static NormSpec rounded(Config c) {
    if (!c.has("rounded")) {
      return null;
    }
    if (c.flag("biased", false) || c.flag("outBiased", false)) {
      throw c.errorAt("rounded", "rounded rows are multiplied by matrices without biases");
    }
    if (c.flag("gated", false) || c.count("adapter", 0) > 0) {
      throw c.errorAt("rounded", "rounded rows need a layer without gates and adapters");
    }
    return NormSpec.read(c.section("rounded"));
  }

  /** Whether keys and values of a layer with other settings are what this one can read. */
  boolean reads(AttentionSpec keeper) {
    return kvHeads == keeper.kvHeads
        && headDim == keeper.headDim
        && valueDim == keeper.valueDim
        && forgets == keeper.forgets
        && (!forgets || heads == keeper.heads)
        && valueHeads() == keeper.valueHeads()
        && (keep == 0) == (keeper.keep == 0)
        && Objects.equals(rope, keeper.rope);
  }

  /** Heads of values, which are fewer where differences are taken. */
  int valueHeads() {
    return difference == null ? kvHeads : kvHeads / 2;
  }

  /** Heads of what is projected to the rows that are written. */
  int outHeads() {
    return difference == null ? heads : heads / 2;
  }

  int group() {
    return heads / kvHeads;
  }
}
