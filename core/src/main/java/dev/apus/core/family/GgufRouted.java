package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** dots.llm1 and GLM-4.5: plain attention and the experts of DeepSeek-V3. */
final class GgufRouted implements GgufFamily {

  private final String architecture;

  private GgufRouted(String architecture) {
    this.architecture = architecture;
  }

  static GgufFamily dots1() {
    return new GgufRouted("dots1");
  }

  static GgufFamily glm4() {
    return new GgufRouted("glm4moe");
  }

  @Override
  public List<String> architectures() {
    return List.of(architecture);
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = experts(GgufSettings.decoder(file));
    table.set("attention_bias", table.stores("blk.0.attn_q.bias"));
    int layers = table.count("block_count", 0);
    if (architecture.equals("dots1")) {
      return table.set("model_type", "dots1").set("max_window_layers", layers).config();
    }
    // What predicts further tokens counts as layers.
    int further = table.count("nextn_predict_layers", 0);
    return table
        .set("model_type", "glm4_moe")
        .set("num_hidden_layers", layers - further)
        .set("num_nextn_predict_layers", further)
        .set("use_qk_norm", table.stores("blk.0.attn_q_norm.weight"))
        .turnedInPart()
        .config();
  }

  /** The rows of DeepSeek-V3's experts. */
  static GgufSettings experts(GgufSettings table) {
    return table
        .required("expert_count", "n_routed_experts")
        .required("expert_used_count", "num_experts_per_tok")
        .required("expert_feed_forward_length", "moe_intermediate_size")
        .row("expert_shared_count", "n_shared_experts", 0)
        .row("leading_dense_block_count", "first_k_dense_replace", 0)
        .row("expert_weights_scale", "routed_scaling_factor", 1.0)
        .row("expert_weights_norm", "norm_topk_prob", true)
        .row("expert_group_count", "n_group", 1)
        .row("expert_group_used_count", "topk_group", 1)
        .only("expert_gating_func", GgufSettings.SIGMOID);
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c);
    int inner = c.positive("moe_intermediate_size");
    WeightNames names = GgufNames.experts(GgufNames.decoder(), d.width, inner);
    for (int i = 0; i < Experts.further(c); i++) {
      names.ignore("blk\\." + (d.layers + i) + "\\..*");
    }
    return architecture.equals("dots1")
        ? names
        : names.row("channel.norm", GgufNames.BLOCK + "post_attention_norm.weight");
  }
}
