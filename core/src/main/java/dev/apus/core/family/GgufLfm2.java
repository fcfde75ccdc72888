package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** LFM2, whose files say by the number of key–value heads which layers attend. */
final class GgufLfm2 implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("lfm2", "lfm2moe");
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table =
        GgufSettings.decoder(file)
            .headsByLayer("conv")
            .required("shortconv.l_cache", "conv_L_cache");
    if (file.metadata().get("general.architecture").equals("lfm2")) {
      return table.set("model_type", "lfm2").set("block_auto_adjust_ff_dim", false).config();
    }
    int dense = table.count("leading_dense_block_count", 0);
    return table
        .set("model_type", "lfm2_moe")
        .set("num_dense_layers", dense)
        .required("expert_count", "num_experts")
        .required("expert_used_count", "num_experts_per_tok")
        .required("expert_feed_forward_length", "moe_intermediate_size")
        .row("expert_weights_scale", "routed_scaling_factor")
        .only("expert_gating_func", GgufSettings.SIGMOID)
        .config();
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names =
        GgufNames.decoder()
            .row("norm", "token_embd_norm.weight")
            .row("gated-convolution.in", GgufNames.BLOCK + "shortconv.in_proj.weight")
            .row("gated-convolution.conv", GgufNames.BLOCK + "shortconv.conv.weight")
            .row("gated-convolution.out", GgufNames.BLOCK + "shortconv.out_proj.weight");
    return c.has("moe_intermediate_size")
        ? GgufNames.experts(names, c.positive("hidden_size"), c.positive("moe_intermediate_size"))
        : names;
  }
}
