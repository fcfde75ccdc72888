package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Hunyuan-A13B, whose files have the base of the rotation that its context is stretched with. */
final class GgufHunYuanMoe implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("hunyuan-moe");
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = GgufSettings.decoder(file);
    return table
        .set("model_type", "hunyuan_v1_moe")
        .set("attention_bias", table.stores("blk.0.attn_q.bias"))
        .required("expert_feed_forward_length", "intermediate_size")
        .required("expert_count", "num_experts")
        .required("expert_used_count", "moe_topk")
        .row("expert_shared_count", "num_shared_expert", 1)
        .harmless("expert_shared_feed_forward_length")
        .only("expert_gating_func", GgufSettings.SOFTMAX)
        .only("expert_weights_norm", true)
        .config();
  }

  @Override
  public WeightNames weights(Config c) {
    int inner = c.positive("intermediate_size");
    return GgufNames.experts(GgufNames.decoder(), c.positive("hidden_size"), inner);
  }
}
