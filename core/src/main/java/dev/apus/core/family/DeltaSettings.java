package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Part;

/** The settings of Gated DeltaNet layers under the names that hybrids give them. */
final class DeltaSettings {

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
