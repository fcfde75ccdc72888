package dev.apus.core.family;

/**
 * Configs of well-known checkpoints as they are on the hub, written by the 4.x releases of
 * transformers or by hand, some scaled down; and what a 5.x release writes for the same model.
 */
enum HubConfig {
  GPT2(
      """
      {"architectures": ["GPT2LMHeadModel"], "model_type": "gpt2",
       "activation_function": "gelu_new",
       "attn_pdrop": 0.1, "bos_token_id": 50256, "embd_pdrop": 0.1, "eos_token_id": 50256,
       "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "n_ctx": 1024, "n_embd": 768,
       "n_head": 12, "n_layer": 12, "n_positions": 1024, "resid_pdrop": 0.1,
       "summary_activation": null, "summary_first_dropout": 0.1, "summary_proj_to_labels": true,
       "summary_type": "cls_index", "summary_use_proj": true, "vocab_size": 50257,
       "task_specific_params": {"text-generation": {"do_sample": true, "max_length": 50}}}
      """,
      """
      {"model_type": "gpt2", "dtype": "float32", "activation_function": "gelu_new",
       "add_cross_attention": false, "layer_norm_epsilon": 1e-05, "n_embd": 768, "n_head": 12,
       "n_inner": null, "n_layer": 12, "n_positions": 1024, "reorder_and_upcast_attn": false,
       "scale_attn_by_inverse_layer_idx": false, "scale_attn_weights": true,
       "tie_word_embeddings": true, "vocab_size": 50257}
      """),
  PYTHIA(
      """
      {"architectures": ["GPTNeoXForCausalLM"], "model_type": "gpt_neox", "bos_token_id": 0,
       "eos_token_id": 0, "hidden_act": "gelu", "hidden_size": 512, "initializer_range": 0.02,
       "intermediate_size": 2048, "layer_norm_eps": 1e-05, "max_position_embeddings": 2048,
       "num_attention_heads": 8, "num_hidden_layers": 6, "rotary_emb_base": 10000,
       "rotary_pct": 0.25, "tie_word_embeddings": false, "torch_dtype": "float16",
       "transformers_version": "4.24.0", "use_cache": true, "use_parallel_residual": true,
       "vocab_size": 50304}
      """,
      """
      {"model_type": "gpt_neox", "attention_bias": true, "dtype": "float16", "hidden_act": "gelu",
       "hidden_size": 512, "intermediate_size": 2048, "is_decoder": false, "layer_norm_eps": 1e-05,
       "max_position_embeddings": 2048, "num_attention_heads": 8, "num_hidden_layers": 6,
       "rope_parameters":
         {"partial_rotary_factor": 0.25, "rope_theta": 10000.0, "rope_type": "default"},
       "tie_word_embeddings": false, "use_parallel_residual": true, "vocab_size": 50304}
      """),
  BLOOM(
      """
      {"architectures": ["BloomForCausalLM"], "model_type": "bloom",
       "apply_residual_connection_post_layernorm": false, "attention_dropout": 0.0,
       "attention_softmax_in_fp32": true, "bias_dropout_fusion": true, "bos_token_id": 1,
       "eos_token_id": 2, "hidden_dropout": 0.0, "initializer_range": 0.02,
       "layer_norm_epsilon": 1e-05, "masked_softmax_fusion": true, "n_embed": 1024, "n_inner": null,
       "n_layer": 24, "num_attention_heads": 16, "offset_alibi": 100, "pad_token_id": 3,
       "pretraining_tp": 1, "seq_length": 2048, "skip_bias_add": true, "skip_bias_add_qkv": false,
       "slow_but_exact": false, "unk_token_id": 0, "use_cache": true, "vocab_size": 250880}
      """,
      """
      {"model_type": "bloom", "apply_residual_connection_post_layernorm": false,
       "dtype": "float16", "hidden_size": 1024, "layer_norm_epsilon": 1e-05, "n_head": 16,
       "n_layer": 24, "slow_but_exact": false, "tie_word_embeddings": true, "vocab_size": 250880}
      """),
  FALCON_7B(
      """
      {"architectures": ["FalconForCausalLM"], "model_type": "falcon", "alibi": false,
       "apply_residual_connection_post_layernorm": false, "attention_dropout": 0.0,
       "auto_map": {"AutoConfig": "configuration_falcon.FalconConfig"}, "bias": false,
       "bos_token_id": 11, "eos_token_id": 11, "hidden_dropout": 0.0, "hidden_size": 4544,
       "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "multi_query": true,
       "new_decoder_architecture": false, "num_attention_heads": 71, "num_hidden_layers": 32,
       "parallel_attn": true, "torch_dtype": "bfloat16", "vocab_size": 65024}
      """,
      """
      {"model_type": "falcon", "activation": "gelu", "alibi": false, "bias": false,
       "dtype": "bfloat16", "ffn_hidden_size": 18176, "hidden_size": 4544,
       "layer_norm_epsilon": 1e-05, "max_position_embeddings": 2048, "multi_query": true,
       "new_decoder_architecture": false, "num_attention_heads": 71, "num_hidden_layers": 32,
       "num_kv_heads": 71, "num_ln_in_parallel_attn": null, "parallel_attn": true,
       "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"},
       "tie_word_embeddings": true, "vocab_size": 65024}
      """),
  FALCON_40B(
      """
      {"architectures": ["RWForCausalLM"], "model_type": "RefinedWeb", "alibi": false,
       "apply_residual_connection_post_layernorm": false, "attention_dropout": 0.0, "bias": false,
       "bos_token_id": 11, "eos_token_id": 11, "hidden_dropout": 0.0, "hidden_size": 8192,
       "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "n_head": 128, "n_head_kv": 8,
       "n_layer": 60, "parallel_attn": true, "torch_dtype": "bfloat16", "use_cache": true,
       "vocab_size": 65024}
      """,
      """
      {"model_type": "falcon", "activation": "gelu", "alibi": false, "bias": false,
       "dtype": "bfloat16", "ffn_hidden_size": 32768, "hidden_size": 8192,
       "layer_norm_epsilon": 1e-05, "max_position_embeddings": 2048, "multi_query": true,
       "new_decoder_architecture": true, "num_attention_heads": 128, "num_hidden_layers": 60,
       "num_kv_heads": 8, "num_ln_in_parallel_attn": 2, "parallel_attn": true,
       "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"},
       "tie_word_embeddings": true, "vocab_size": 65024}
      """),
  FALCON_RW(
      """
      {"architectures": ["FalconForCausalLM"], "model_type": "falcon", "alibi": true,
       "apply_residual_connection_post_layernorm": false, "attention_dropout": 0.0, "bias": true,
       "bos_token_id": 1, "eos_token_id": 2, "hidden_dropout": 0.0, "hidden_size": 2048,
       "initializer_range": 0.02, "layer_norm_epsilon": 1e-05, "multi_query": false,
       "new_decoder_architecture": false, "num_attention_heads": 32, "num_hidden_layers": 24,
       "parallel_attn": false, "torch_dtype": "bfloat16", "vocab_size": 50304}
      """,
      """
      {"model_type": "falcon", "activation": "gelu", "alibi": true, "bias": true,
       "dtype": "bfloat16", "ffn_hidden_size": 8192, "hidden_size": 2048,
       "layer_norm_epsilon": 1e-05, "max_position_embeddings": 2048, "multi_query": false,
       "new_decoder_architecture": false, "num_attention_heads": 32, "num_hidden_layers": 24,
       "num_kv_heads": 32, "parallel_attn": false,
       "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"},
       "tie_word_embeddings": true, "vocab_size": 50304}
      """),
  STABLELM_2(
      """
      {"architectures": ["StableLmForCausalLM"], "model_type": "stablelm",
       "attention_dropout": 0.0, "bos_token_id": 100257, "eos_token_id": 100257,
       "hidden_act": "silu", "hidden_dropout": 0.0, "hidden_size": 2048, "initializer_range": 0.02,
       "intermediate_size": 5632, "layer_norm_eps": 1e-05, "max_position_embeddings": 4096,
       "num_attention_heads": 32, "num_hidden_layers": 24, "num_key_value_heads": 32,
       "partial_rotary_factor": 0.25, "rope_scaling": null, "rope_theta": 10000,
       "rotary_scaling_factor": 1.0, "tie_word_embeddings": false, "torch_dtype": "float16",
       "use_cache": true, "use_qkv_bias": true, "vocab_size": 100352}
      """,
      """
      {"model_type": "stablelm", "dtype": "float16", "hidden_act": "silu", "hidden_size": 2048,
       "intermediate_size": 5632, "layer_norm_eps": 1e-05, "max_position_embeddings": 4096,
       "num_attention_heads": 32, "num_hidden_layers": 24, "num_key_value_heads": 32,
       "qk_layernorm": false,
       "rope_parameters":
         {"partial_rotary_factor": 0.25, "rope_theta": 10000.0, "rope_type": "default"},
       "tie_word_embeddings": false, "use_parallel_residual": false, "use_qkv_bias": true,
       "vocab_size": 100352}
      """),
  STARCODER2(
      """
      {"architectures": ["Starcoder2ForCausalLM"], "model_type": "starcoder2",
       "attention_dropout": 0.1, "bos_token_id": 0, "embedding_dropout": 0.1, "eos_token_id": 0,
       "hidden_act": "gelu_pytorch_tanh", "hidden_size": 3072, "initializer_range": 0.018042,
       "intermediate_size": 12288, "max_position_embeddings": 16384, "mlp_type": "default",
       "norm_epsilon": 1e-05, "norm_type": "layer_norm", "num_attention_heads": 24,
       "num_hidden_layers": 30, "num_key_value_heads": 2, "residual_dropout": 0.1,
       "rope_theta": 999999.4420358813, "sliding_window": 4096, "torch_dtype": "bfloat16",
       "use_bias": true, "use_cache": true, "vocab_size": 49152}
      """,
      """
      {"model_type": "starcoder2", "dtype": "bfloat16", "hidden_act": "gelu_pytorch_tanh",
       "hidden_size": 3072, "intermediate_size": 12288, "max_position_embeddings": 16384,
       "norm_epsilon": 1e-05, "num_attention_heads": 24, "num_hidden_layers": 30,
       "num_key_value_heads": 2,
       "rope_parameters": {"rope_theta": 999999.4420358813, "rope_type": "default"},
       "sliding_window": 4096, "tie_word_embeddings": true, "use_bias": true, "vocab_size": 49152}
      """),
  MINITRON(
      """
      {"architectures": ["NemotronForCausalLM"], "model_type": "nemotron", "bos_token_id": 2,
       "eos_token_id": 3, "hidden_act": "relu2", "hidden_size": 3072, "initializer_range": 0.0134,
       "intermediate_size": 9216, "kv_channels": 128, "max_position_embeddings": 4096,
       "norm_eps": 1e-05, "num_attention_heads": 24, "num_hidden_layers": 32,
       "num_key_value_heads": 8, "partial_rotary_factor": 0.5, "rope_theta": 10000,
       "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
       "vocab_size": 256000}
      """,
      """
      {"model_type": "nemotron", "attention_bias": false, "dtype": "bfloat16", "head_dim": 128,
       "hidden_act": "relu2", "hidden_size": 3072, "intermediate_size": 9216,
       "max_position_embeddings": 4096, "mlp_bias": false, "norm_eps": 1e-05,
       "num_attention_heads": 24, "num_hidden_layers": 32, "num_key_value_heads": 8,
       "rope_parameters":
         {"partial_rotary_factor": 0.5, "rope_theta": 10000.0, "rope_type": "default"},
       "tie_word_embeddings": false, "vocab_size": 256000}
      """),
  GLM(
      """
      {"architectures": ["GlmForCausalLM"], "model_type": "glm", "attention_bias": true,
       "attention_dropout": 0.0, "eos_token_id": [151329, 151336, 151338], "head_dim": 128,
       "hidden_act": "silu",
       "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 13696,
       "max_position_embeddings": 131072, "num_attention_heads": 32, "num_hidden_layers": 40,
       "num_key_value_heads": 2, "pad_token_id": 151329, "partial_rotary_factor": 0.5,
       "rms_norm_eps": 1.5625e-07, "rope_scaling": null, "rope_theta": 10000.0,
       "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
       "vocab_size": 151552}
      """,
      """
      {"model_type": "glm", "attention_bias": true, "dtype": "bfloat16", "head_dim": 128,
       "hidden_act": "silu", "hidden_size": 4096, "intermediate_size": 13696,
       "max_position_embeddings": 131072, "num_attention_heads": 32, "num_hidden_layers": 40,
       "num_key_value_heads": 2, "rms_norm_eps": 1.5625e-07,
       "rope_parameters":
         {"partial_rotary_factor": 0.5, "rope_theta": 10000.0, "rope_type": "default"},
       "tie_word_embeddings": false, "vocab_size": 151552}
      """),
  GLM_4(
      """
      {"architectures": ["Glm4ForCausalLM"], "model_type": "glm4", "attention_bias": false,
       "attention_dropout": 0.0, "eos_token_id": [151329, 151336, 151338], "head_dim": 128,
       "hidden_act": "silu",
       "hidden_size": 4096, "initializer_range": 0.02, "intermediate_size": 13696,
       "max_position_embeddings": 32768, "num_attention_heads": 32, "num_hidden_layers": 40,
       "num_key_value_heads": 2, "pad_token_id": 151329, "partial_rotary_factor": 0.5,
       "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 10000.0,
       "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
       "vocab_size": 151552}
      """,
      """
      {"model_type": "glm4", "attention_bias": false, "dtype": "bfloat16", "head_dim": 128,
       "hidden_act": "silu", "hidden_size": 4096, "intermediate_size": 13696,
       "max_position_embeddings": 32768, "num_attention_heads": 32, "num_hidden_layers": 40,
       "num_key_value_heads": 2, "rms_norm_eps": 1e-05,
       "rope_parameters":
         {"partial_rotary_factor": 0.5, "rope_theta": 10000.0, "rope_type": "default"},
       "tie_word_embeddings": false, "vocab_size": 151552}
      """),
  HELIUM(
      """
      {"architectures": ["HeliumForCausalLM"], "model_type": "helium", "attention_bias": false,
       "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2, "head_dim": 128,
       "hidden_act": "silu", "hidden_size": 2560, "initializer_range": 0.02,
       "intermediate_size": 7040, "max_position_embeddings": 4096, "mlp_bias": false,
       "num_attention_heads": 20, "num_hidden_layers": 24, "num_key_value_heads": 20,
       "pad_token_id": 3, "rms_norm_eps": 1e-08, "rope_theta": 100000.0,
       "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
       "vocab_size": 48000}
      """,
      """
      {"model_type": "helium", "attention_bias": false, "dtype": "bfloat16", "head_dim": 128,
       "hidden_act": "silu", "hidden_size": 2560, "intermediate_size": 7040,
       "max_position_embeddings": 4096, "mlp_bias": false, "num_attention_heads": 20,
       "num_hidden_layers": 24, "num_key_value_heads": 20, "rms_norm_eps": 1e-08,
       "rope_parameters": {"rope_theta": 100000.0, "rope_type": "default"},
       "tie_word_embeddings": false, "vocab_size": 48000}
      """),
  NANOCHAT(
      """
      {"architectures": ["NanoChatForCausalLM"], "model_type": "nanochat",
       "attention_dropout": 0.0, "hidden_act": "relu2", "hidden_size": 1280,
       "initializer_range": 0.02, "intermediate_size": 5120, "logits_soft_cap": 15.0,
       "max_position_embeddings": 2048, "num_attention_heads": 10, "num_hidden_layers": 20,
       "num_key_value_heads": 10, "qkv_bias": false, "rms_norm_eps": 1e-06, "rope_theta": 10000.0,
       "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": false,
       "vocab_size": 65536}
      """,
      """
      {"model_type": "nanochat", "attention_bias": false, "dtype": "bfloat16",
       "final_logit_softcapping": 15.0, "hidden_act": "relu2", "hidden_size": 1280,
       "intermediate_size": 5120, "max_position_embeddings": 2048, "num_attention_heads": 10,
       "num_hidden_layers": 20, "num_key_value_heads": 10, "rms_norm_eps": 1e-06,
       "rope_parameters": {"rope_theta": 10000.0, "rope_type": "default"},
       "tie_word_embeddings": false, "vocab_size": 65536}
      """),
  COMMAND_R(
      """
      {"architectures": ["CohereForCausalLM"], "model_type": "cohere", "attention_bias": false,
       "attention_dropout": 0.0, "bos_token_id": 5, "eos_token_id": 255001, "hidden_act": "silu",
       "hidden_size": 8192, "initializer_range": 0.02, "intermediate_size": 22528,
       "layer_norm_eps": 1e-05, "logit_scale": 0.0625, "max_position_embeddings": 8192,
       "model_max_length": 131072, "num_attention_heads": 64, "num_hidden_layers": 40,
       "num_key_value_heads": 64, "pad_token_id": 0, "pretraining_tp": 1, "rope_theta": 8000000.0,
       "torch_dtype": "float16", "use_cache": true, "vocab_size": 256000}
      """,
      """
      {"model_type": "cohere", "attention_bias": false, "dtype": "float16", "hidden_act": "silu",
       "hidden_size": 8192, "intermediate_size": 22528, "layer_norm_eps": 1e-05,
       "logit_scale": 0.0625, "max_position_embeddings": 8192, "num_attention_heads": 64,
       "num_hidden_layers": 40, "num_key_value_heads": 64,
       "rope_parameters": {"rope_theta": 8000000.0, "rope_type": "default"},
       "tie_word_embeddings": true, "use_qk_norm": false, "vocab_size": 256000}
      """),
  COMMAND_R7B(
      """
      {"architectures": ["Cohere2ForCausalLM"], "model_type": "cohere2", "attention_bias": false,
       "attention_dropout": 0.0, "bos_token_id": 5, "cache_implementation": "hybrid",
       "eos_token_id": 255001, "head_dim": 128, "hidden_act": "silu", "hidden_size": 512,
       "initializer_range": 0.02, "intermediate_size": 1792, "layer_norm_eps": 1e-05,
       "layer_switch": 4, "logit_scale": 0.25, "max_position_embeddings": 8192,
       "num_attention_heads": 4, "num_hidden_layers": 8, "num_key_value_heads": 1,
       "order_of_interleaved_layers": "local_attn_first", "pad_token_id": 0,
       "position_embedding_type": "rope_gptj", "rope_scaling": null, "rope_theta": 50000,
       "rotary_pct": 1.0, "sliding_window": 4096, "sliding_window_pattern": 4,
       "torch_dtype": "bfloat16", "use_cache": true, "use_embedding_sharing": true,
       "use_gated_activation": true, "use_parallel_block": true, "use_parallel_embedding": false,
       "use_qk_norm": false, "vocab_size": 256000}
      """,
      """
      {"model_type": "cohere2", "attention_bias": false, "dtype": "bfloat16", "head_dim": 128,
       "hidden_act": "silu", "hidden_size": 512, "intermediate_size": 1792, "layer_norm_eps": 1e-05,
       "layer_types": [
         "sliding_attention", "sliding_attention", "sliding_attention", "full_attention",
         "sliding_attention", "sliding_attention", "sliding_attention", "full_attention"],
       "logit_scale": 0.25, "max_position_embeddings": 8192, "num_attention_heads": 4,
       "num_hidden_layers": 8, "num_key_value_heads": 1,
       "rope_parameters": {"rope_theta": 50000.0, "rope_type": "default"}, "sliding_window": 4096,
       "tie_word_embeddings": true, "vocab_size": 256000}
      """),
  KIMI_LINEAR(
      """
      {"architectures": ["KimiLinearForCausalLM"], "model_type": "kimi_linear",
       "auto_map": {"AutoConfig": "configuration_kimi.KimiLinearConfig"}, "bos_token_id": 163584,
       "dtype": "bfloat16", "eos_token_id": 163586, "first_k_dense_replace": 1, "head_dim": 72,
       "hidden_act": "silu", "hidden_size": 2304, "initializer_range": 0.02,
       "intermediate_size": 9216, "kv_lora_rank": 512,
       "linear_attn_config": {"full_attn_layers": [4, 5], "head_dim": 128,
         "kda_layers": [1, 2, 3], "num_heads": 32, "short_conv_kernel_size": 4},
       "mla_use_nope": true, "model_max_length": 1048576, "moe_intermediate_size": 1024,
       "moe_layer_freq": 1, "moe_renormalize": true, "moe_router_activation_func": "sigmoid",
       "num_attention_heads": 32, "num_expert_group": 1, "num_experts": 256,
       "num_experts_per_token": 8, "num_hidden_layers": 5, "num_key_value_heads": 32,
       "num_nextn_predict_layers": 0, "num_shared_experts": 1, "pad_token_id": 163839,
       "q_lora_rank": null, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
       "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 10000.0,
       "routed_scaling_factor": 2.446, "tie_word_embeddings": false, "topk_group": 1,
       "transformers_version": "4.51.3", "use_cache": true, "use_grouped_topk": true,
       "v_head_dim": 128, "vocab_size": 163840}
      """,
      """
      {"model_type": "kimi_linear", "attention_bias": false, "dtype": "bfloat16", "head_dim": 64,
       "hidden_act": "silu", "hidden_size": 2304, "intermediate_size": 9216, "kv_lora_rank": 512,
       "layer_types": ["linear_attention", "linear_attention", "linear_attention",
         "full_attention", "full_attention"],
       "linear_conv_kernel_dim": 4, "linear_head_dim": 128, "linear_num_heads": 32,
       "mlp_layer_types": ["dense", "sparse", "sparse", "sparse", "sparse"],
       "model_max_length": 1048576, "moe_intermediate_size": 1024, "moe_renormalize": true,
       "num_attention_heads": 32, "num_expert_group": 1, "num_experts": 256,
       "num_experts_per_token": 8, "num_hidden_layers": 5, "num_key_value_heads": 32,
       "num_shared_experts": 1, "q_lora_rank": null, "qk_head_dim": 192, "qk_nope_head_dim": 128,
       "qk_rope_head_dim": 64, "rms_norm_eps": 1e-05, "routed_scaling_factor": 2.446,
       "tie_word_embeddings": false, "topk_group": 1, "v_head_dim": 128, "vocab_size": 163840}
      """),
  PHI_3(
      """
      {"architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "attention_bias": false,
       "attention_dropout": 0.0, "auto_map": {"AutoConfig": "configuration_phi3.Phi3Config"},
       "bos_token_id": 1, "embd_pdrop": 0.0, "eos_token_id": 32000, "hidden_act": "silu",
       "hidden_size": 3072, "initializer_range": 0.02, "intermediate_size": 8192,
       "max_position_embeddings": 4096, "num_attention_heads": 32, "num_hidden_layers": 32,
       "num_key_value_heads": 32, "original_max_position_embeddings": 4096, "pad_token_id": 32000,
       "resid_pdrop": 0.0, "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 10000.0,
       "sliding_window": 2047, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "use_cache": true, "vocab_size": 32064}
      """,
      """
      {"model_type": "phi3", "dtype": "bfloat16", "hidden_act": "silu", "hidden_size": 3072,
       "intermediate_size": 8192, "max_position_embeddings": 4096, "num_attention_heads": 32,
       "num_hidden_layers": 32, "num_key_value_heads": 32,
       "original_max_position_embeddings": 4096, "rms_norm_eps": 1e-05,
       "rope_parameters":
         {"partial_rotary_factor": 1.0, "rope_theta": 10000.0, "rope_type": "default"},
       "sliding_window": 2047, "tie_word_embeddings": false, "vocab_size": 32064}
      """),
  PHI_4_MINI(
      """
      {"architectures": ["Phi3ForCausalLM"], "model_type": "phi3", "attention_bias": false,
       "attention_dropout": 0.0, "bos_token_id": 199999, "embd_pdrop": 0.0, "eos_token_id": 199999,
       "full_attn_mod": 1, "hidden_act": "silu", "hidden_size": 64, "initializer_range": 0.02,
       "intermediate_size": 8192, "interpolate_factor": 1, "lm_head_bias": false,
       "max_position_embeddings": 131072, "mlp_bias": false, "num_attention_heads": 4,
       "num_hidden_layers": 32, "num_key_value_heads": 2, "original_max_position_embeddings": 4096,
       "pad_token_id": 199999, "partial_rotary_factor": 0.75, "resid_pdrop": 0.0,
       "rms_norm_eps": 1e-05, "rope_scaling": {"type": "su", "long_factor": [1, 1.1, 1.5, 2, 4, 32],
         "short_factor": [1, 1, 1, 1, 1, 1.25]},
       "rope_theta": 10000.0, "sliding_window": 262144, "tie_word_embeddings": true,
       "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 200064}
      """,
      """
      {"model_type": "phi3", "dtype": "bfloat16", "hidden_act": "silu", "hidden_size": 64,
       "intermediate_size": 8192, "max_position_embeddings": 131072, "num_attention_heads": 4,
       "num_hidden_layers": 32, "num_key_value_heads": 2, "original_max_position_embeddings": 4096,
       "rms_norm_eps": 1e-05,
       "rope_parameters":
         {"long_factor": [1.0, 1.1, 1.5, 2.0, 4.0, 32.0], "original_max_position_embeddings": 4096,
          "partial_rotary_factor": 0.75, "rope_theta": 10000.0, "rope_type": "longrope",
          "short_factor": [1.0, 1.0, 1.0, 1.0, 1.0, 1.25]},
       "sliding_window": 262144, "tie_word_embeddings": true, "vocab_size": 200064}
      """);

  /** The config on the hub. */
  final String hub;

  /** The same model's config in the newer spelling. */
  final String newer;

  HubConfig(String hub, String newer) {
    this.hub = hub;
    this.newer = newer;
  }
}
