package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** ERNIE 4.5 with experts. */
final class GgufErnie implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("ernie4_5-moe");
  }

  @Override
  public Config config(Gguf file) {
    return GgufSettings.decoder(file)
        .set("model_type", "ernie4_5_moe")
        .required("expert_count", "moe_num_experts")
        .required("expert_used_count", "moe_k")
        .required("expert_feed_forward_length", "moe_intermediate_size")
        .row("expert_shared_count", "moe_num_shared_experts", 0)
        .row("leading_dense_block_count", "moe_layer_start_index", 0)
        .row("interleave_moe_layer_step", "moe_layer_interval", 1)
        // Converters write what they take for it; the shared experts are as wide as the others.
        .harmless("expert_shared_feed_forward_length")
        .only("expert_gating_func", GgufSettings.SOFTMAX)
        .only("expert_weights_norm", true)
        .config();
  }

  @Override
  public WeightNames weights(Config c) {
    int inner = c.positive("moe_intermediate_size");
    return GgufNames.experts(GgufNames.decoder(), c.positive("hidden_size"), inner);
  }
}
