package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Linear attention of flash-linear-attention, by any of its feature maps. */
final class FlaLinearAttention implements ModelFamily {

  private static final String OURS = "linear-attention.";

  /** What the reference adds to the sum of the weights, whatever the config's epsilon. */
  private static final double DENOMINATOR_EPSILON = 1e-10;

  @Override
  public List<String> names() {
    return List.of("LinearAttentionForCausalLM", "linear_attn");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    Part heads = FlaInputs.ofHeads(d, "linear-attention", 4, 1, 1);
    int keyDim = (int) heads.settings().get("keyDim");
    Part mixer =
        heads
            .with("features", features(c).settings())
            .with("scale", 1 / Math.sqrt(features(c, keyDim)))
            .with("norm", d.norm.toMap());
    if (c.flag("norm_feature_map", false)) {
      mixer =
          mixer.with("denominator", Part.of("").with("epsilon", DENOMINATOR_EPSILON).settings());
    }
    return d.architecture("linear-attn", mixer);
  }

  private static String map(Config c) {
    return c.choice(
        "feature_map",
        "elementwise_product",
        "elementwise_product",
        "hedgehog",
        "t2r",
        "dpfp",
        "elu",
        "relu",
        "identity");
  }

  private static Part features(Config c) {
    boolean tied = isTied(c);
    Part features =
        switch (map(c)) {
          case "elementwise_product" -> learned("product", tied).with("biased", true);
          case "hedgehog" -> learned("hedgehog-joint", tied).with("biased", true);
          case "t2r" -> learned("t2r", tied);
          case "dpfp" -> Part.of("").with("map", "dpfp-signed");
          default -> Part.of("").with("map", map(c));
        };
    return features
        .with("queriesSumToOne", c.flag("norm_q", false))
        .with("keysSumToOne", c.flag("norm_k", false));
  }

  private static Part learned(String map, boolean tied) {
    return Part.of("").with("map", map).with("tied", tied);
  }

  private static boolean isTied(Config c) {
    return c.flag("tie_feature_map_qk", false);
  }

  /** The reference divides by the root of how many features there are, not of a head's values. */
  private static double features(Config c, int keyDim) {
    return switch (map(c)) {
      case "hedgehog" -> 2.0 * keyDim;
      case "dpfp" -> 8.0 * keyDim;
      default -> keyDim;
    };
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names =
        FlaInputs.names(OURS, "qkv").row(OURS + "norm", FlaNames.MIXER + "norm.weight");
    if (isTied(c)) {
      for (int i = 0; i < c.positive("num_hidden_layers"); i++) {
        String maps = FlaNames.MIXER.replace("{i}", Integer.toString(i)) + "feature_map_";
        names.copies(maps + "k.", maps + "q.");
      }
      return features(c, names, "", "q");
    }
    return features(c, features(c, names, "q.", "q"), "k.", "k");
  }

  private static WeightNames features(Config c, WeightNames names, String ours, String theirs) {
    String stored = FlaNames.MIXER + "feature_map_" + theirs + ".layer";
    boolean two = map(c).equals("elementwise_product");
    return names
        .row(OURS + ours + "features", stored + (two ? "1" : "") + ".weight")
        .row(OURS + ours + "features.other", stored + "2.weight");
  }
}
