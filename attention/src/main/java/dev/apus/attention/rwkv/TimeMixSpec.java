package dev.apus.attention.rwkv;

import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.memory.MatrixMemory;

/**
 * The settings of time mixing with a matrix memory.
 *
 * @param kvHeads heads of keys and values, each of which serves several heads
 * @param keyDim values of a head's receptance or key
 * @param order the letters of what the shifted rows are for, r, k, v, g and w, as their shares are
 *     stored; w only if decays follow from the data
 * @param shareRank columns of the matrices by which shares follow from the data; 0 for constants
 * @param decayRank the same of decays
 * @param leastLogDecay what logarithms of decays are raised to
 * @param bonus whether receptances read before the token is written, which then has a bonus
 * @param balanced whether keys are multiplied by what their cells forget
 * @param biased whether receptances, keys and values have biases
 * @param scale factor on receptances
 * @param norm of each head's output, or null
 * @param gate the function of the output gate
 */
record TimeMixSpec(
    int heads,
    int kvHeads,
    int keyDim,
    int valueDim,
    String order,
    int shareRank,
    int decayRank,
    float leastLogDecay,
    boolean bonus,
    boolean balanced,
    boolean biased,
    float scale,
    NormSpec norm,
    Activation gate) {

  static TimeMixSpec read(Config c) {
    int heads = c.positive("heads");
    int keyDim = c.positive("keyDim");
    int valueDim = c.positive("valueDim", keyDim);
    if ((double) heads * keyDim * valueDim > Integer.MAX_VALUE) {
      throw c.error(
          "heads=%d of keyDim=%d by valueDim=%d are more than 2^31 − 1 values",
          heads, keyDim, valueDim);
    }
    int kvHeads = c.positive("kvHeads", heads);
    if (heads % kvHeads != 0) {
      throw c.errorAt("kvHeads", "heads=%d is not divisible by kvHeads=%d", heads, kvHeads);
    }
    int decayRank = c.count("decayRank", 0);
    String letters = decayRank > 0 ? "gkrvw" : "gkrv";
    String order = c.word("order", decayRank > 0 ? "rkvgw" : "rkvg");
    if (!letters.equals(sorted(order))) {
      throw c.errorAt("order", "order=\"%s\" must have the letters of \"%s\"", order, letters);
    }
    return new TimeMixSpec(
        heads,
        kvHeads,
        keyDim,
        valueDim,
        order,
        c.count("shareRank", 0),
        decayRank,
        leastLogDecay(c),
        c.flag("bonus", true),
        c.flag("balanced", false),
        c.flag("biased", false),
        c.real("scale", 1),
        c.has("norm") ? NormSpec.read(c.section("norm")) : null,
        c.choice("gate", "silu", "silu", "sigmoid").equals("silu")
            ? Activation.SILU
            : Activation.SIGMOID);
  }

  private static float leastLogDecay(Config c) {
    float least = c.real("leastLogDecay", Float.NEGATIVE_INFINITY);
    if (least >= 0) {
      throw c.errorAt("leastLogDecay", "leastLogDecay=%s must be negative", least);
    }
    return least;
  }

  private static String sorted(String order) {
    return order.chars().sorted().mapToObj(Character::toString).reduce("", String::concat);
  }

  int keyCols() {
    return heads * keyDim;
  }

  int valueCols() {
    return heads * valueDim;
  }

  MatrixMemory.Shape memory() {
    return new MatrixMemory.Shape(
        keyDim,
        valueDim,
        MatrixMemory.Decay.PER_KEY,
        MatrixMemory.Write.ADD,
        bonus ? MatrixMemory.Read.BEFORE : MatrixMemory.Read.AFTER);
  }
}
