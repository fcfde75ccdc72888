package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.ArrayList;
import java.util.List;

/**
 * Nemotron-H, whose files say of each layer how many key–value heads it has and how wide its block
 * is: a layer that has neither is Mamba-2's. No step has a least.
 */
final class GgufNemotronH implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("nemotron_h", "nemotron_h_moe");
  }

  @Override
  public Config config(Gguf file) {
    boolean moe = "nemotron_h_moe".equals(file.metadata().get("general.architecture"));
    GgufSettings table = GgufSettings.decoder(file).withoutRotation();
    List<Integer> kvHeads = table.byLayer("attention.head_count_kv");
    List<Integer> inner = table.byLayer("feed_forward_length");
    List<String> kinds = new ArrayList<>();
    for (int i = 0; i < kvHeads.size(); i++) {
      String block = inner.get(i) == 0 ? "mamba" : moe ? "moe" : "mlp";
      kinds.add(kvHeads.get(i) == 0 ? block : "attention");
    }
    table
        .set("model_type", "nemotron_h")
        .set("layers_block_type", kinds)
        .set("num_key_value_heads", table.onlyOne("attention.head_count_kv", kvHeads))
        .set("intermediate_size", table.onlyOne("feed_forward_length", inner))
        .mamba2("mamba_num_heads", "mamba_head_dim", "n_groups", "ssm_state_size", "conv_kernel")
        .set("time_step_min", 0.0)
        .set("use_conv_bias", table.storesInLayers("ssm_conv1d.bias"))
        .set("use_bias", table.storesInLayers("ssm_in.bias"))
        .set("attention_bias", table.storesInLayers("attn_q.bias"))
        .set("mlp_bias", table.storesInLayers("ffn_up.bias"));
    return moe ? experts(table).config() : table.config();
  }

  private static GgufSettings experts(GgufSettings table) {
    return table
        .required("expert_count", "n_routed_experts")
        .required("expert_used_count", "num_experts_per_tok")
        .required("expert_feed_forward_length", "moe_intermediate_size")
        .required("expert_shared_feed_forward_length", "moe_shared_expert_intermediate_size")
        .row("moe_latent_size", "moe_latent_size")
        .row("expert_weights_norm", "norm_topk_prob", true)
        .row("expert_weights_scale", "routed_scaling_factor", 1.0)
        .row("expert_group_count", "n_group", 1)
        .row("expert_group_used_count", "topk_group", 1)
        .harmless("expert_shared_count")
        .only("expert_gating_func", GgufSettings.SIGMOID);
  }

  @Override
  public WeightNames weights(Config c) {
    String block = GgufNames.BLOCK;
    Decoder d = NemotronH.decoder(c);
    WeightNames names =
        GgufNames.turned(GgufNames.decoder(), d)
            .row("channel.norm", block + "attn_norm.weight")
            .row("mlp.up", block + "ffn_up.weight")
            .row("mlp.down", block + "ffn_down.weight")
            .row("moe.latent.in", block + "ffn_latent_down.weight")
            .row("moe.latent.out", block + "ffn_latent_up.weight");
    if (c.has("moe_intermediate_size")) {
      int width = c.positive("moe_latent_size", d.width);
      GgufNames.experts(names, width, c.positive("moe_intermediate_size"));
    }
    return NemotronH.shape(c).gguf(names);
  }
}
