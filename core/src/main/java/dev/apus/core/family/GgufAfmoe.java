package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** AFMoE, whose files do not say that embeddings are scaled: those of all published models are. */
final class GgufAfmoe implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("afmoe");
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = GgufSettings.decoder(file);
    return table
        .set("model_type", "afmoe")
        .set("mup_enabled", true)
        .set("attention_bias", table.stores("blk.0.attn_q.bias"))
        .required("expert_count", "num_experts")
        .required("expert_used_count", "num_experts_per_tok")
        .required("expert_feed_forward_length", "moe_intermediate_size")
        .row("expert_shared_count", "num_shared_experts", 0)
        .row("leading_dense_block_count", "num_dense_layers", 0)
        .row("expert_weights_scale", "route_scale", 1.0)
        .row("expert_weights_norm", "route_norm", true)
        .row("expert_group_count", "n_group", 1)
        .row("expert_group_used_count", "topk_group", 1)
        .required("attention.sliding_window", "sliding_window")
        .row("attention.sliding_window_pattern", "global_attn_every_n_layers", 4)
        .only("expert_gating_func", GgufSettings.SIGMOID)
        .config();
  }

  @Override
  public WeightNames weights(Config c) {
    int inner = c.positive("moe_intermediate_size");
    return GgufNames.experts(GgufNames.decoder(), c.positive("hidden_size"), inner)
        .row("attention.gate", GgufNames.BLOCK + "attn_gate.weight");
  }
}
