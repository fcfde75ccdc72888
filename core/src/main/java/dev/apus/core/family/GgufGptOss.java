package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** gpt-oss, whose files do not say that its rotation slows over parts of pairs. */
final class GgufGptOss implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("gpt-oss");
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = GgufSettings.decoder(file);
    return table
        .set("model_type", "gpt_oss")
        .set("rope_scaling.truncate", false)
        .required("attention.sliding_window", "sliding_window")
        .required("expert_count", "num_local_experts")
        .required("expert_used_count", "num_experts_per_tok")
        .required("expert_feed_forward_length", "intermediate_size")
        .set("attention_bias", table.stores("blk.0.attn_q.bias"))
        .config();
  }

  @Override
  public WeightNames weights(Config c) {
    return GgufNames.experts(
            GgufNames.decoder(), c.positive("hidden_size"), c.positive("intermediate_size"))
        .row("channel.norm", GgufNames.BLOCK + "post_attention_norm.weight")
        .row("attention.sinks", GgufNames.BLOCK + "attn_sinks.weight");
  }
}
