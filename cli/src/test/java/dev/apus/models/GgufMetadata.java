package dev.apus.models;

import dev.apus.core.config.Config;
import dev.apus.core.file.GgufWriter;
import java.util.stream.IntStream;

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
    if (architecture.matches("dream|llada.*")) {
      gguf.flag(architecture + ".attention.causal", false)
          .flag("diffusion.shift_logits", architecture.equals("dream"))
          .u32("tokenizer.ggml.mask_token_id", config.positive("mask_token_id"));
    }
    if (architecture.equals("llada")) {
      llada();
      return;
    }
    if (architecture.equals("dbrx")) {
      dbrx();
      return;
    }
    gguf.u32(
        architecture + ".block_count",
        config.positive("num_hidden_layers") + config.count("num_nextn_predict_layers", 0));
    u32("context_length", "max_position_embeddings");
    u32("embedding_length", "hidden_size");
    if (!architecture.equals("mamba")) {
      u32("feed_forward_length", "intermediate_size");
    }
    u32("attention.head_count", "num_attention_heads");
    if (architecture.startsWith("lfm2")) {
      lfm2();
    } else if (architecture.equals("jamba")) {
      jamba();
    } else if (architecture.equals("mamba")) {
      mamba();
    } else if (!architecture.matches("kimi-linear|deepseek32")) {
      u32("attention.head_count_kv", "num_key_value_heads");
      u32("attention.key_length", "head_dim");
      u32("attention.value_length", "head_dim");
    }
    f32("attention.layer_norm_rms_epsilon", "rms_norm_eps");
    u32("expert_count", "num_local_experts");
    u32("expert_count", "num_experts");
    u32("expert_used_count", "num_experts_per_tok");
    if (architecture.matches("qwen3next|qwen35.*")) {
      linear();
    }
    if (architecture.matches("afmoe|ernie4_5-moe|hunyuan-moe")) {
      shared();
    }
    if (architecture.matches("deepseek32|dots1|glm4moe")) {
      routed();
    }
    if (architecture.equals("llama")) {
      u32("vocab_size", "vocab_size");
      gguf.u32("llama.rope.dimension_count", headDim());
    } else if (architecture.matches("qwen.*moe|lfm2moe") || architecture.equals("qwen3next")) {
      u32("expert_feed_forward_length", "moe_intermediate_size");
      u32("expert_shared_feed_forward_length", "shared_expert_intermediate_size");
    } else if (architecture.equals("llada-moe")) {
      u32("expert_feed_forward_length", "expert_intermediate_size");
    } else if (architecture.equals("gpt-oss")) {
      u32("expert_feed_forward_length", "intermediate_size");
      u32("attention.sliding_window", "sliding_window");
    } else if (architecture.equals("kimi-linear")) {
      kimi();
    } else if (architecture.equals("deepseek32")) {
      deepSeek();
    } else if (architecture.startsWith("gemma")) {
      u32("attention.sliding_window", "sliding_window");
      int period = config.words("layer_types").indexOf("full_attention") + 1;
      gguf.u32(architecture + ".attention.sliding_window_pattern", period);
      f32("attn_logit_softcapping", "attn_logit_softcapping");
      f32("final_logit_softcapping", "final_logit_softcapping");
    }
    rope();
    if (architecture.equals("llada-moe")) {
      f32("rope.freq_base", "rope_theta");
    }
    if (config.has("bos_token_id")) {
      gguf.u32("tokenizer.ggml.bos_token_id", config.positive("bos_token_id"));
    }
    gguf.u32("tokenizer.ggml.eos_token_id", config.positive("eos_token_id"));
  }

  /** LLaDA, whose config has names of its own. */
  private void llada() {
    u32("block_count", "n_layers");
    u32("context_length", "max_sequence_length");
    u32("embedding_length", "d_model");
    u32("feed_forward_length", "mlp_hidden_size");
    u32("attention.head_count", "n_heads");
    u32("attention.head_count_kv", "n_kv_heads");
    u32("vocab_size", "vocab_size");
    u32("rope.dimension_count", "rope_dims");
    f32("attention.layer_norm_rms_epsilon", "rms_norm_eps");
    f32("rope.freq_base", "rope_theta");
    gguf.u32("tokenizer.ggml.eos_token_id", config.positive("eos_token_id"));
  }

  /** Experts beside some that all tokens share. */
  private void shared() {
    if (architecture.equals("afmoe")) {
      u32("expert_shared_count", "num_shared_experts");
      u32("leading_dense_block_count", "num_dense_layers");
      u32("expert_feed_forward_length", "moe_intermediate_size");
      u32("attention.sliding_window", "sliding_window");
      f32("expert_weights_scale", "route_scale");
      gguf.u32("afmoe.expert_gating_func", 2)
          .flag("afmoe.expert_weights_norm", config.flag("route_norm"))
          .f32("afmoe.rope.freq_base", config.real("rope_theta"));
    } else if (architecture.equals("ernie4_5-moe")) {
      u32("expert_count", "moe_num_experts");
      u32("expert_used_count", "moe_k");
      u32("interleave_moe_layer_step", "moe_layer_interval");
      u32("leading_dense_block_count", "moe_layer_start_index");
      u32("expert_feed_forward_length", "moe_intermediate_size");
      u32("expert_shared_count", "moe_num_shared_experts");
      int shared = config.share("intermediate_size", "num_key_value_heads");
      gguf.u32("ernie4_5-moe.expert_shared_feed_forward_length", shared)
          .f32("ernie4_5-moe.rope.freq_base", config.real("rope_theta"));
    } else {
      u32("expert_used_count", "moe_topk");
      u32("expert_shared_count", "num_shared_expert");
      u32("expert_feed_forward_length", "intermediate_size");
      u32("expert_shared_feed_forward_length", "intermediate_size");
      gguf.f32("hunyuan-moe.rope.freq_base", config.real("rope_theta"))
          .text("hunyuan-moe.rope.scaling.type", "none")
          .f32("hunyuan-moe.rope.scaling.factor", 1)
          .u32("hunyuan-moe.rope.scaling.original_context_length", 256 * 1024);
    }
  }

  private void dbrx() {
    Config attention = config.section("attn_config");
    Config experts = config.section("ffn_config");
    u32("block_count", "n_layers");
    u32("context_length", "max_seq_len");
    u32("embedding_length", "d_model");
    u32("attention.head_count", "n_heads");
    gguf.u32("dbrx.feed_forward_length", experts.positive("ffn_hidden_size"))
        .u32("dbrx.attention.head_count_kv", attention.positive("kv_n_heads"))
        .f32("dbrx.rope.freq_base", attention.real("rope_theta"))
        .f32("dbrx.attention.clamp_kqv", attention.real("clip_qkv"))
        .u32("dbrx.expert_count", experts.positive("moe_num_experts"))
        .u32("dbrx.expert_used_count", experts.positive("moe_top_k"))
        .f32("dbrx.attention.layer_norm_epsilon", 1e-5f);
  }

  /** The router of DeepSeek-V3. */
  private void routed() {
    u32("expert_count", "n_routed_experts");
    u32("expert_feed_forward_length", "moe_intermediate_size");
    u32("expert_shared_count", "n_shared_experts");
    u32("leading_dense_block_count", "first_k_dense_replace");
    u32("expert_group_count", "n_group");
    u32("expert_group_used_count", "topk_group");
    f32("expert_weights_scale", "routed_scaling_factor");
    gguf.u32(architecture + ".expert_gating_func", 2)
        .flag(architecture + ".expert_weights_norm", config.flag("norm_topk_prob"));
    if (architecture.equals("glm4moe")) {
      u32("nextn_predict_layers", "num_nextn_predict_layers");
      int dims = (int) (headDim() * config.number("partial_rotary_factor"));
      gguf.u32("glm4moe.rope.dimension_count", dims);
    }
  }

  private void linear() {
    u32("ssm.conv_kernel", "linear_conv_kernel_dim");
    u32("ssm.state_size", "linear_key_head_dim");
    u32("ssm.group_count", "linear_num_key_heads");
    u32("ssm.time_step_rank", "linear_num_value_heads");
    int inner =
        config.positive("linear_num_value_heads") * config.positive("linear_value_head_dim");
    int interval = config.words("layer_types").indexOf("full_attention") + 1;
    int dims = (int) (headDim() * config.number("partial_rotary_factor"));
    gguf.u32(architecture + ".ssm.inner_size", inner)
        .u32(architecture + ".full_attention_interval", interval)
        .u32(architecture + ".rope.dimension_count", dims);
    if (!architecture.equals("qwen3next")) {
      gguf.i32s(architecture + ".rope.dimension_sections", 11, 11, 10, 0);
    }
  }

  /** One key–value head as long as the latent in layers of latent attention, none in others. */
  private void kimi() {
    int latent = config.positive("kv_lora_rank");
    int shared = config.positive("qk_rope_head_dim");
    int[] kvHeads =
        config.words("layer_types").stream()
            .mapToInt(type -> type.equals("full_attention") ? 1 : 0)
            .toArray();
    int dense =
        (int) config.words("mlp_layer_types").stream().filter(type -> type.equals("dense")).count();
    gguf.i32s("kimi-linear.attention.head_count_kv", kvHeads)
        .u32("kimi-linear.attention.key_length", latent + shared)
        .u32("kimi-linear.attention.key_length_mla", config.positive("qk_nope_head_dim") + shared)
        .u32("kimi-linear.leading_dense_block_count", dense)
        .u32("kimi-linear.expert_gating_func", 2);
    u32("context_length", "model_max_length");
    u32("vocab_size", "vocab_size");
    u32("ssm.conv_kernel", "linear_conv_kernel_dim");
    u32("kda.head_dim", "linear_head_dim");
    u32("attention.kv_lora_rank", "kv_lora_rank");
    u32("attention.value_length_mla", "v_head_dim");
    u32("rope.dimension_count", "qk_rope_head_dim");
    u32("expert_used_count", "num_experts_per_token");
    u32("expert_feed_forward_length", "moe_intermediate_size");
    u32("expert_shared_count", "num_shared_experts");
    u32("expert_group_used_count", "topk_group");
    f32("expert_weights_scale", "routed_scaling_factor");
  }

  private void lfm2() {
    int heads = config.positive("num_key_value_heads");
    gguf.i32s(
        architecture + ".attention.head_count_kv",
        config.words("layer_types").stream().mapToInt(t -> t.equals("conv") ? 0 : heads).toArray());
    f32("attention.layer_norm_rms_epsilon", "norm_eps");
    u32("vocab_size", "vocab_size");
    u32("shortconv.l_cache", "conv_L_cache");
    u32("leading_dense_block_count", "num_dense_layers");
    if (architecture.equals("lfm2moe")) {
      gguf.u32("lfm2moe.expert_gating_func", 2);
    }
  }

  private void mamba() {
    gguf.u32("mamba.context_length", 1 << 20)
        .u32("mamba.feed_forward_length", 0)
        .u32("mamba.attention.head_count", 0)
        .flag("mamba.ssm.dt_b_c_rms", config.word("model_type").equals("falcon_mamba"));
    f32("attention.layer_norm_rms_epsilon", "layer_norm_epsilon");
    mamba("expand", "conv_kernel", "state_size", "time_step_rank");
  }

  private void jamba() {
    int period = config.positive("attn_layer_period");
    int offset = config.count("attn_layer_offset");
    int kvHeads = config.positive("num_key_value_heads");
    gguf.i32s(
        "jamba.attention.head_count_kv",
        IntStream.range(0, config.positive("num_hidden_layers"))
            .map(i -> i % period == offset ? kvHeads : 0)
            .toArray());
    mamba("mamba_expand", "mamba_d_conv", "mamba_d_state", "mamba_dt_rank");
  }

  private void mamba(String expand, String conv, String state, String rank) {
    gguf.u32(
        architecture + ".ssm.inner_size",
        (long) config.positive(expand) * config.positive("hidden_size"));
    u32("ssm.conv_kernel", conv);
    u32("ssm.state_size", state);
    u32("ssm.time_step_rank", rank);
  }

  private int headDim() {
    return config.has("head_dim")
        ? config.positive("head_dim")
        : config.share("hidden_size", "num_attention_heads");
  }

  private void rope() {
    if (!config.hasSection("rope_parameters")) {
      return;
    }
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

  private void deepSeek() {
    int latent = config.positive("kv_lora_rank");
    int shared = config.positive("qk_rope_head_dim");
    gguf.u32("deepseek32.attention.head_count_kv", 1)
        .u32("deepseek32.attention.key_length", latent + shared)
        .u32("deepseek32.attention.value_length", latent)
        .u32("deepseek32.attention.key_length_mla", config.positive("qk_nope_head_dim") + shared)
        .f32("deepseek32.attention.layer_norm_epsilon", 1e-6f);
    u32("attention.value_length_mla", "v_head_dim");
    u32("attention.q_lora_rank", "q_lora_rank");
    u32("attention.kv_lora_rank", "kv_lora_rank");
    u32("attention.indexer.head_count", "index_n_heads");
    u32("attention.indexer.key_length", "index_head_dim");
    u32("attention.indexer.top_k", "index_topk");
    u32("rope.dimension_count", "qk_rope_head_dim");
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
