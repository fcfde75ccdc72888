package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Qwen 2 and 3, dense and with experts. */
final class GgufQwen implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("qwen2", "qwen3", "qwen2moe", "qwen3moe");
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = GgufSettings.decoder(file);
    return switch ((String) file.metadata().get("general.architecture")) {
      case "qwen2" -> table.set("model_type", "qwen2").config();
      case "qwen3" -> biased(table.set("model_type", "qwen3")).config();
      case "qwen2moe" ->
          experts(table.set("model_type", "qwen2_moe"), false)
              .row("expert_shared_feed_forward_length", "shared_expert_intermediate_size")
              .config();
      default -> experts(biased(table.set("model_type", "qwen3_moe")), true).config();
    };
  }

  static GgufSettings experts(GgufSettings table, boolean normalized) {
    return table
        .required("expert_count", "num_experts")
        .required("expert_used_count", "num_experts_per_tok")
        .required("expert_feed_forward_length", "moe_intermediate_size")
        .row("expert_weights_norm", "norm_topk_prob", normalized)
        .only("expert_gating_func", GgufSettings.SOFTMAX);
  }

  private static GgufSettings biased(GgufSettings table) {
    return table.set("attention_bias", table.stores("blk.0.attn_q.bias"));
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = GgufNames.decoder();
    return c.has("moe_intermediate_size")
        ? GgufNames.experts(names, c.positive("hidden_size"), c.positive("moe_intermediate_size"))
        : names;
  }
}
