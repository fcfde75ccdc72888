package dev.apus.core.family;

import static dev.apus.core.weight.Conversion.ofEachGroup;

import dev.apus.core.config.Config;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;

/** Gated DeltaNet layers under the names that hybrids give their settings and weights. */
final class DeltaSettings {

  /** Who shares queries and keys: no config says so, but converters change it. */
  static final String SHARING = "linear_value_head_sharing";

  static final String OURS = "gated-delta-net.";

  private DeltaSettings() {}

  static Part read(Config c, Decoder d) {
    int keyHeads = c.positive("linear_num_key_heads", d.heads);
    int keyDim = c.positive("linear_key_head_dim");
    Part part = Part.of("gated-delta-net").with("keyHeads", keyHeads);
    if (c.choice(SHARING, "neighbours", "neighbours", "turns").equals("turns")) {
      part = part.with("sharing", "turns");
    }
    return part.with("valueHeads", c.positive("linear_num_value_heads", d.heads))
        .with("keyDim", keyDim)
        .with("valueDim", c.positive("linear_value_head_dim"))
        .with("taps", c.positive("linear_conv_kernel_dim", 4));
  }

  /**
   * Rows for layers whose queries, keys and values are projected and convolved apart.
   *
   * @param layer what the names in the file begin with
   */
  static WeightNames apart(WeightNames names, String layer, Part delta) {
    int keys = count(delta, "keyHeads") * count(delta, "keyDim");
    int steps = delta.settings().containsKey("steps") ? count(delta, "steps") : 1;
    int[] rows = {
      keys, steps * keys, steps * count(delta, "valueHeads") * count(delta, "valueDim")
    };
    return names
        .row(OURS + "q", layer + "q_proj.weight")
        .row(OURS + "k", layer + "k_proj.weight")
        .row(OURS + "v", layer + "v_proj.weight")
        .row(
            OURS + "conv",
            WeightNames.joined(
                rows,
                layer + "q_conv1d.weight",
                layer + "k_conv1d.weight",
                layer + "v_conv1d.weight"))
        .row(OURS + "b", layer + "b_proj.weight")
        .row(OURS + "decay", WeightNames.from(layer + "A_log").as(Conversion.MINUS_EXP))
        .row(OURS + "dtBias", layer + "dt_bias")
        .row(OURS + "norm", layer + "o_norm.weight")
        .row(OURS + "o", layer + "o_proj.weight");
  }

  private static int count(Part part, String setting) {
    return (int) part.settings().get(setting);
  }

  /** Queries, keys and values one after the other in one matrix. */
  static WeightNames fused(WeightNames names, String fused, Part delta) {
    int keys = count(delta, "keyHeads") * count(delta, "keyDim");
    int values = count(delta, "valueHeads") * count(delta, "valueDim");
    Source all = WeightNames.from(fused);
    return names
        .row(OURS + "q", all.as(Conversion.rows(0, keys)))
        .row(OURS + "k", all.as(Conversion.rows(keys, keys)))
        .row(OURS + "v", all.as(Conversion.rows(2 * keys, values)));
  }

  /** Queries, keys, values and output gates of each key head together. */
  static WeightNames interleaved(WeightNames names, String qkvz, Part delta) {
    int heads = count(delta, "keyHeads");
    int ratio = count(delta, "valueHeads") / heads;
    int key = count(delta, "keyDim");
    int value = ratio * count(delta, "valueDim");
    int stride = 2 * key + 2 * value;
    Source all = WeightNames.from(qkvz);
    return names
        .row(OURS + "q", all.as(ofEachGroup(heads, stride, 0, key)))
        .row(OURS + "k", all.as(ofEachGroup(heads, stride, key, key)))
        .row(OURS + "v", all.as(ofEachGroup(heads, stride, 2 * key, value)))
        .row(OURS + "z", all.as(ofEachGroup(heads, stride, 2 * key + value, value)));
  }

  /** The gates of what is written and of what is kept, of each key head together. */
  static WeightNames interleavedGates(WeightNames names, String ba, Part delta) {
    int heads = count(delta, "keyHeads");
    int ratio = count(delta, "valueHeads") / heads;
    Source gates = WeightNames.from(ba);
    return names
        .row(OURS + "b", gates.as(ofEachGroup(heads, 2 * ratio, 0, ratio)))
        .row(OURS + "a", gates.as(ofEachGroup(heads, 2 * ratio, ratio, ratio)));
  }

  /** Whether a layer of this kind is a DeltaNet layer; otherwise it is full attention. */
  static boolean isLinear(Decoder d, String layerType) {
    return switch (layerType) {
      case "linear_attention" -> true;
      case "full_attention", "attention" -> false;
      default ->
          throw d.c.errorAt(
              "layer_types",
              "layer_types holds \"%s\"; this family has linear_attention and full_attention",
              layerType);
    };
  }
}
