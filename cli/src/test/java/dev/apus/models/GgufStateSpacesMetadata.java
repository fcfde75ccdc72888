package dev.apus.models;

import dev.apus.core.config.Config;
import dev.apus.core.file.GgufWriter;
import java.util.List;
import java.util.stream.IntStream;

/** Writes the configs of Mamba-2 and its hybrids as the metadata of a GGUF file. */
final class GgufStateSpacesMetadata {

  private final Config config;
  private final GgufWriter gguf;
  private final String type;
  private final String prefix;

  GgufStateSpacesMetadata(Config config, GgufWriter gguf) {
    this.config = config;
    this.gguf = gguf;
    this.type = config.word("model_type");
    boolean experts = type.equals("nemotron_h") && layers().contains("moe");
    this.prefix =
        switch (type) {
              case "falcon_h1" -> "falcon-h1";
              case "bamba", "granitemoehybrid" -> "granitehybrid";
              default -> type + (experts ? "_moe" : "");
            }
            + ".";
  }

  void write() {
    int[] kvHeads = kvHeads();
    gguf.text("general.architecture", prefix.substring(0, prefix.length() - 1))
        .text("general.type", "model")
        .u32(prefix + "block_count", kvHeads.length)
        .u32(prefix + "context_length", config.positive("max_position_embeddings", 1 << 20))
        .u32(prefix + "attention.head_count", config.count("num_attention_heads", 0));
    u32("embedding_length", "hidden_size");
    f32("attention.layer_norm_rms_epsilon", "rms_norm_eps", "layer_norm_epsilon");
    mamba2();
    switch (type) {
      case "mamba2" -> gguf.u32(prefix + "feed_forward_length", 0);
      case "falcon_h1" -> {
        u32("feed_forward_length", "intermediate_size");
        u32("attention.head_count_kv", "num_key_value_heads");
        gguf.f32(prefix + "rope.freq_base", config.section("rope_parameters").real("rope_theta"));
      }
      case "nemotron_h" -> nemotron(kvHeads);
      default -> granite(kvHeads);
    }
    gguf.u32("tokenizer.ggml.eos_token_id", config.positive("eos_token_id"));
  }

  private void mamba2() {
    int heads = first("num_heads", "mamba_n_heads", "mamba_num_heads");
    int headDim =
        type.equals("mamba2") ? first("head_dim") : first("mamba_d_head", "mamba_head_dim");
    gguf.u32(prefix + "ssm.conv_kernel", first("conv_kernel", "mamba_d_conv"))
        .u32(prefix + "ssm.state_size", first("state_size", "mamba_d_state", "ssm_state_size"))
        .u32(prefix + "ssm.inner_size", heads * headDim)
        .u32(prefix + "ssm.time_step_rank", heads)
        .u32(prefix + "ssm.group_count", first("n_groups", "mamba_n_groups"));
  }

  private List<String> layers() {
    return switch (type) {
      case "nemotron_h" -> config.words("layers_block_type");
      case "granitemoehybrid" -> config.words("layer_types");
      case "bamba" ->
          IntStream.range(0, config.positive("num_hidden_layers"))
              .mapToObj(
                  i -> config.integers("attn_layer_indices").contains(i) ? "full_attention" : "")
              .toList();
      default ->
          IntStream.range(0, config.positive("num_hidden_layers")).mapToObj(i -> "").toList();
    };
  }

  private int[] kvHeads() {
    return layers().stream()
        .mapToInt(
            kind -> kind.equals("full_attention") ? config.positive("num_key_value_heads") : 0)
        .toArray();
  }

  private void granite(int[] kvHeads) {
    boolean bamba = type.equals("bamba");
    gguf.i32s(prefix + "attention.head_count_kv", kvHeads)
        .flag(prefix + "rope.scaling.finetuned", bamba)
        .f32(prefix + "rope.freq_base", config.section("rope_parameters").real("rope_theta"));
    if (bamba) {
      int headDim = config.share("hidden_size", "num_attention_heads");
      gguf.u32(prefix + "attention.key_length", headDim)
          .u32(prefix + "rope.dimension_count", headDim / 2);
    }
    u32("feed_forward_length", "intermediate_size");
    u32("expert_shared_feed_forward_length", "shared_intermediate_size");
    gguf.u32(prefix + "expert_count", config.count("num_local_experts", 0))
        .u32(prefix + "expert_used_count", config.count("num_experts_per_tok", 0));
    f32("attention.scale", "attention_multiplier");
    f32("embedding_scale", "embedding_multiplier");
    f32("residual_scale", "residual_multiplier");
    f32("logit_scale", "logits_scaling");
  }

  private void nemotron(int[] kvHeads) {
    boolean experts = layers().contains("moe");
    String inner = experts ? "moe_intermediate_size" : "intermediate_size";
    int[] widths =
        layers().stream().mapToInt(k -> k.startsWith("m") ? config.positive(inner) : 0).toArray();
    // The converter takes a head's length from the width here, whatever it is.
    gguf.i32s(prefix + "attention.head_count_kv", kvHeads)
        .i32s(prefix + "feed_forward_length", widths)
        .u32(prefix + "rope.dimension_count", 84);
    u32("attention.key_length", "head_dim");
    u32("attention.value_length", "head_dim");
    if (experts) {
      u32("expert_count", "n_routed_experts");
      u32("expert_used_count", "num_experts_per_tok");
      u32("expert_feed_forward_length", "moe_intermediate_size");
      u32("expert_shared_feed_forward_length", "moe_shared_expert_intermediate_size");
      u32("expert_shared_count", "n_shared_experts");
      u32("expert_group_count", "n_group");
      u32("moe_latent_size", "moe_latent_size");
      gguf.flag(prefix + "expert_weights_norm", config.flag("norm_topk_prob"));
      f32("expert_weights_scale", "routed_scaling_factor");
    }
  }

  private int first(String... settings) {
    for (String setting : settings) {
      if (config.has(setting)) {
        return config.positive(setting);
      }
    }
    throw new AssertionError("none of " + String.join(", ", settings));
  }

  private void u32(String key, String setting) {
    if (config.has(setting)) {
      gguf.u32(prefix + key, config.positive(setting));
    }
  }

  private void f32(String key, String... settings) {
    for (String setting : settings) {
      if (config.has(setting)) {
        gguf.f32(prefix + key, config.real(setting));
      }
    }
  }
}
