package dev.apus.models;

import dev.apus.core.config.Config;
import dev.apus.core.file.GgufWriter;

/** Writes a config as the metadata of a GGUF file. */
final class GgufMetadata {

  private final Config config;
  private final String architecture;
  private final GgufWriter gguf;

  GgufMetadata(Config config, String architecture, GgufWriter gguf) {
    this.config = config;
    this.architecture = architecture;
    this.gguf = gguf;
  }

  void write() {
    gguf.text("general.architecture", architecture)
        .text("general.type", "model")
        .text("general.name", config.name())
        .u32("general.quantization_version", 2);
    u32("block_count", "num_hidden_layers");
    u32("context_length", "max_position_embeddings");
    u32("embedding_length", "hidden_size");
    if (!architecture.equals("mamba")) {
      u32("feed_forward_length", "intermediate_size");
    }
    u32("attention.head_count", "num_attention_heads");
    if (!architecture.equals("jamba")) {
      u32("attention.head_count_kv", "num_key_value_heads");
    }
    f32("attention.layer_norm_rms_epsilon", "rms_norm_eps");
    u32("attention.key_length", "head_dim");
    u32("attention.value_length", "head_dim");
    u32("expert_count", "num_local_experts");
    u32("expert_count", "num_experts");
    u32("expert_used_count", "num_experts_per_tok");
    if (architecture.equals("llama")) {
      u32("vocab_size", "vocab_size");
      gguf.u32("llama.rope.dimension_count", headDim());
    } else if (architecture.endsWith("moe")) {
      u32("expert_feed_forward_length", "moe_intermediate_size");
      u32("expert_shared_feed_forward_length", "shared_expert_intermediate_size");
    } else if (architecture.startsWith("gemma")) {
      u32("attention.sliding_window", "sliding_window");
      int period = config.words("layer_types").indexOf("full_attention") + 1;
      gguf.u32(architecture + ".attention.sliding_window_pattern", period);
      f32("attn_logit_softcapping", "attn_logit_softcapping");
      f32("final_logit_softcapping", "final_logit_softcapping");
    }
    if (architecture.contains("mamba") || architecture.equals("jamba")) {
      mamba();
    } else {
      rope();
    }
    gguf.u32("tokenizer.ggml.bos_token_id", config.positive("bos_token_id"))
        .u32("tokenizer.ggml.eos_token_id", config.positive("eos_token_id"));
  }

  private void mamba() {
    boolean jamba = architecture.equals("jamba");
    u32("ssm.conv_kernel", jamba ? "mamba_d_conv" : "conv_kernel");
    u32("ssm.state_size", jamba ? "mamba_d_state" : "state_size");
    u32("ssm.time_step_rank", jamba ? "mamba_dt_rank" : "time_step_rank");
    int expand = config.positive(jamba ? "mamba_expand" : "expand");
    gguf.u32(architecture + ".ssm.inner_size", (long) expand * config.positive("hidden_size"));
    if (jamba) {
      int[] heads = new int[config.positive("num_hidden_layers")];
      for (int i = config.count("attn_layer_offset");
          i < heads.length;
          i += config.positive("attn_layer_period")) {
        heads[i] = config.positive("num_key_value_heads");
      }
      gguf.i32s("jamba.attention.head_count_kv", heads);
    } else {
      gguf.u32("mamba.context_length", 1 << 20)
          .u32("mamba.feed_forward_length", 0)
          .u32("mamba.attention.head_count", 0)
          .flag("mamba.ssm.dt_b_c_rms", config.word("model_type").equals("falcon_mamba"));
      f32("attention.layer_norm_rms_epsilon", "layer_norm_epsilon");
    }
  }

  private int headDim() {
    return config.has("head_dim")
        ? config.positive("head_dim")
        : config.share("hidden_size", "num_attention_heads");
  }

  private void rope() {
    Config rope = config.section("rope_parameters");
    if (rope.has("sliding_attention")) {
      String key = architecture + ".rope.freq_base_swa";
      gguf.f32(key, rope.section("sliding_attention").real("rope_theta"));
      rope = rope.section("full_attention");
    }
    gguf.f32(architecture + ".rope.freq_base", rope.real("rope_theta"));
    String type = rope.word("rope_type");
    if (type.equals("linear") || type.equals("yarn")) {
      String scaling = architecture + ".rope.scaling.";
      gguf.text(scaling + "type", type).f32(scaling + "factor", rope.real("factor"));
      if (type.equals("yarn")) {
        gguf.u32(
            scaling + "original_context_length", rope.positive("original_max_position_embeddings"));
      }
    }
  }

  private void u32(String key, String setting) {
    if (config.has(setting)) {
      gguf.u32(architecture + "." + key, config.positive(setting));
    }
  }

  private void f32(String key, String setting) {
    if (config.has(setting)) {
      gguf.f32(architecture + "." + key, config.real(setting));
    }
  }
}
