package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;

/** Gated DeltaNet layers under the names that hybrids give their settings and weights. */
final class DeltaSettings {

  static final String OURS = "gated-delta-net.";

  private DeltaSettings() {}

  static Part read(Config c, Decoder d) {
    int keyHeads = c.positive("linear_num_key_heads", d.heads);
    int keyDim = c.positive("linear_key_head_dim");
    return Part.of("gated-delta-net")
        .with("keyHeads", keyHeads)
        .with("valueHeads", c.positive("linear_num_value_heads", d.heads))
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
    int[] rows = {keys, keys, count(delta, "valueHeads") * count(delta, "valueDim")};
    return names
        .row(OURS + "qkv", each(rows, layer, "_proj.weight"))
        .row(OURS + "conv", each(rows, layer, "_conv1d.weight"))
        .row(OURS + "b", layer + "b_proj.weight")
        .row(OURS + "decay", WeightNames.from(layer + "A_log").as(Conversion.MINUS_EXP))
        .row(OURS + "dtBias", layer + "dt_bias")
        .row(OURS + "norm", layer + "o_norm.weight")
        .row(OURS + "o", layer + "o_proj.weight");
  }

  private static int count(Part part, String setting) {
    return (int) part.settings().get(setting);
  }

  private static WeightNames.Source each(int[] rows, String layer, String name) {
    return WeightNames.joined(rows, layer + "q" + name, layer + "k" + name, layer + "v" + name);
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
