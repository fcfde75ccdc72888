package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.model.Architecture;
import dev.apus.core.weight.WeightNames;
import java.util.List;
import java.util.Map;
import java.util.stream.IntStream;

/**
 * Granite 4 and Bamba. Layers without key–value heads are Mamba-2's; files without a factor on the
 * scores are Bamba's. Converters rearrange queries and keys as those of Llama.
 */
final class GgufGraniteHybrid implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("granitehybrid");
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = GgufSettings.decoder(file);
    int inner = table.count("ssm.inner_size", 0);
    int width = table.count("embedding_length", 1);
    table
        .set("mamba_expand", Math.max(1, inner / Math.max(1, width)))
        .set("gated_norm_over", "group")
        .mamba2("mamba_n_heads", "mamba_d_head", "mamba_n_groups", "mamba_d_state", "mamba_d_conv")
        .set("mamba_conv_bias", table.storesInLayers("ssm_conv1d.bias"))
        .set("mamba_proj_bias", table.storesInLayers("ssm_in.bias"))
        .set("attention_bias", table.storesInLayers("attn_q.bias"));
    return table.has("attention.scale") ? granite(table) : bamba(table);
  }

  private static Config granite(GgufSettings table) {
    boolean turned = Boolean.TRUE.equals(table.raw("rope.scaling.finetuned"));
    int experts = table.count("expert_count", 0);
    boolean shared = table.has("expert_shared_feed_forward_length");
    return table
        .headsByLayer("linear_attention")
        .set("model_type", "granitemoehybrid")
        .set("position_embedding_type", turned ? "rope" : "nope")
        .row("attention.scale", "attention_multiplier")
        .row("embedding_scale", "embedding_multiplier", 1.0)
        .row("residual_scale", "residual_multiplier", 1.0)
        .row("logit_scale", "logits_scaling", 1.0)
        .set("num_local_experts", experts)
        .row("expert_used_count", "num_experts_per_tok", experts == 0 ? 0 : 2)
        .row(
            shared ? "expert_shared_feed_forward_length" : "feed_forward_length",
            "shared_intermediate_size")
        .config();
  }

  private static Config bamba(GgufSettings table) {
    List<Integer> kvHeads = table.byLayer("attention.head_count_kv");
    return table
        .set("model_type", "bamba")
        .set("num_key_value_heads", table.onlyOne("attention.head_count_kv", kvHeads))
        .set("attn_layer_indices", attending(kvHeads))
        .set("mlp_bias", table.storesInLayers("ffn_up.bias"))
        .only("expert_count", 0L)
        .only("expert_used_count", 0L)
        .only("rope.scaling.finetuned", true)
        .turnedInPart()
        .config();
  }

  private static List<Integer> attending(List<Integer> kvHeads) {
    return IntStream.range(0, kvHeads.size())
        .filter(layer -> kvHeads.get(layer) > 0)
        .boxed()
        .toList();
  }

  @Override
  public void describe(Architecture model, GgufMetadata metadata) {
    Map<String, Object> attention = metadata.part("attention").settings();
    metadata.say("rope.scaling.finetuned", attention.containsKey("rope"));
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c);
    WeightNames names = GgufNames.turned(GgufNames.decoder(), d);
    if (c.count("num_local_experts", 0) > 0) {
      GgufNames.experts(names, d.width, c.positive("intermediate_size"));
    }
    return Mamba2Settings.prefixed(c, d.width).gguf(names);
  }
}
