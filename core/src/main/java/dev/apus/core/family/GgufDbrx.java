package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** DBRX. */
final class GgufDbrx implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("dbrx");
  }

  @Override
  public Config config(Gguf file) {
    return GgufSettings.layers(file)
        .attention()
        .set("model_type", "dbrx")
        .required("attention.head_count_kv", "attn_config.kv_n_heads")
        .row("attention.clamp_kqv", "attn_config.clip_qkv")
        .required("rope.freq_base", "attn_config.rope_theta")
        .required("feed_forward_length", "ffn_config.ffn_hidden_size")
        .required("expert_count", "ffn_config.moe_num_experts")
        .required("expert_used_count", "ffn_config.moe_top_k")
        .only("attention.layer_norm_epsilon", (double) 1e-5f)
        .harmless("rope.dimension_count")
        .config();
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = Dbrx.decoder(c);
    String qkv = GgufNames.BLOCK + "attn_qkv.weight";
    WeightNames names =
        Names.fusedQkv(GgufNames.decoder(), qkv, d.heads * d.headDim, d.kvHeads * d.headDim)
            .row("channel.norm", GgufNames.BLOCK + "attn_output_norm.weight");
    return GgufNames.experts(names, d.width, Dbrx.inner(c.section("ffn_config")));
  }
}
