package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** OLMoE, whose files say of the experts only how many there are. */
final class GgufOlmoe implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("olmoe");
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = GgufSettings.decoder(file);
    return table
        .set("model_type", "olmoe")
        .required("feed_forward_length", "intermediate_size")
        .required("expert_count", "num_experts")
        .required("expert_used_count", "num_experts_per_tok")
        .set("norm_topk_prob", false)
        .set("attention_bias", table.stores("blk.0.attn_q.bias"))
        .config();
  }

  @Override
  public WeightNames weights(Config c) {
    return GgufNames.experts(
        GgufNames.decoder(), c.positive("hidden_size"), c.positive("intermediate_size"));
  }
}
