package dev.apus.attention.linear;

import dev.apus.attention.rope.Rope;
import dev.apus.core.config.Config;
import dev.apus.core.model.CausalConvolution;
import dev.apus.core.model.Mlp;
import dev.apus.core.weight.WeightScope;
import dev.apus.kernels.activation.Activation;

/**
 * The settings of a layer's queries, keys and values.
 *
 * @param kvHeads heads of keys and values, each shared by {@code heads / kvHeads} neighbours
 * @param keyDim values of a head's query or key
 * @param convolution of each of the three over its last few tokens, or null
 * @param activation the function of those that are {@code activated}
 * @param activated letters of {@code qkv}
 * @param features what becomes of queries and keys then, or null for nothing
 * @param rope how queries and keys, or their features, are turned, or null
 * @param scale factor on queries, or on their features
 */
record HeadSpec(
    int heads,
    int kvHeads,
    int keyDim,
    int valueDim,
    Convolution convolution,
    Activation activation,
    String activated,
    FeatureSpec features,
    Rope.Spec rope,
    float scale) {

  /**
   * A short convolution.
   *
   * @param activation of what was convolved
   */
  record Convolution(int taps, boolean biased, Activation activation) {

    private static Convolution read(Config c) {
      return new Convolution(c.positive("taps"), c.flag("biased", false), Mlp.activation(c));
    }

    CausalConvolution build(WeightScope weights, String name, int cols) {
      return CausalConvolution.read(weights, name + ".conv", cols, taps, biased);
    }
  }

  /**
   * @param context the longest sequence the model was made for
   */
  static HeadSpec read(Config c, int context) {
    int heads = c.positive("heads");
    int kvHeads = c.positive("kvHeads", heads);
    if (heads % kvHeads != 0) {
      throw c.error("heads=%d is not divisible by kvHeads=%d", heads, kvHeads);
    }
    int keyDim = c.positive("keyDim");
    int valueDim = c.positive("valueDim", keyDim);
    FeatureSpec features =
        c.has("features") ? FeatureSpec.read(c.section("features"), keyDim, context) : null;
    double widest = Math.max(keyDim, valueDim);
    if (features != null) {
      widest = Math.max(widest, features.features(keyDim));
    }
    if (heads * widest > Integer.MAX_VALUE) {
      throw c.error("heads=%d of %.0f values are more than 2^31 − 1 values a row", heads, widest);
    }
    if (features != null && features.tied() && features.isOfEachHead() && heads != kvHeads) {
      throw c.errorAt(
          "features",
          "tied=true needs as many heads of keys as of queries, found kvHeads=%d for heads=%d",
          kvHeads,
          heads);
    }
    Convolution convolution =
        c.has("convolution") ? Convolution.read(c.section("convolution")) : null;
    if (convolution != null && heads * widest * convolution.taps > Integer.MAX_VALUE) {
      throw c.error(
          "taps=%d of heads=%d of %.0f values are more than 2^31 − 1 values",
          convolution.taps, heads, widest);
    }
    boolean activated = c.has("activation");
    return new HeadSpec(
        heads,
        kvHeads,
        keyDim,
        valueDim,
        convolution,
        activated ? Mlp.activation(c) : Activation.IDENTITY,
        activated ? c.choice("activated", "qkv", "qkv", "qk", "q", "v") : "",
        features,
        c.has("rope") ? rope(c, keyDim, features, context) : null,
        c.real("scale", features == null ? (float) (1 / Math.sqrt(keyDim)) : 1));
  }

  private static Rope.Spec rope(Config c, int keyDim, FeatureSpec features, int context) {
    int turned = features == null ? keyDim : (int) features.features(keyDim);
    Rope.Spec rope = Rope.Spec.read(c.section("rope"), turned, context);
    if (rope.dependsOnLimit()) {
      throw c.errorAt(
          "rope",
          "rope.type is not supported here where angles depend on how long a sequence may become");
    }
    return rope;
  }

  /**
   * @param which 0 for queries, 1 for keys, 2 for values
   */
  boolean isActivated(int which) {
    return activated.indexOf("qkv".charAt(which)) >= 0;
  }

  /** Values of a head's query or key in the memory. */
  int memoryRows() {
    return features == null ? keyDim : (int) features.features(keyDim);
  }
}
