package dev.apus.core.family;

/** Configs as they are on the hub of families of attention after Llama, some scaled down. */
enum LaterHubConfig {
  LLAMA_3_2(
      """
      {"architectures": ["LlamaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
       "bos_token_id": 128000, "eos_token_id": [128001, 128008, 128009], "head_dim": 64,
       "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
       "intermediate_size": 8192, "max_position_embeddings": 131072, "mlp_bias": false,
       "model_type": "llama", "num_attention_heads": 32, "num_hidden_layers": 16,
       "num_key_value_heads": 8, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
       "rope_scaling": {"factor": 32.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
         "original_max_position_embeddings": 8192, "rope_type": "llama3"},
       "rope_theta": 500000.0, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
       "transformers_version": "4.45.0.dev0", "use_cache": true, "vocab_size": 128256}
      """,
      "\"type\" : \"llama3\""),
  MISTRAL_7B(
      """
      {"architectures": ["MistralForCausalLM"], "bos_token_id": 1, "eos_token_id": 2,
       "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
       "intermediate_size": 14336, "max_position_embeddings": 32768, "model_type": "mistral",
       "num_attention_heads": 32, "num_hidden_layers": 2, "num_key_value_heads": 8,
       "rms_norm_eps": 1e-05, "rope_theta": 10000.0, "sliding_window": 4096,
       "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.34.0.dev0", "use_cache": true, "vocab_size": 32000}
      """,
      "\"window\" : 4096"),
  DEEPSEEK_V4(
      """
      {"architectures": ["DeepseekV4ForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "bos_token_id": 0, "eos_token_id": 1, "hc_eps": 1e-06,
       "hc_mult": 4, "hc_sinkhorn_iters": 20, "head_dim": 512, "hidden_act": "silu",
       "hidden_size": 4096, "index_head_dim": 128, "index_n_heads": 64, "index_topk": 512,
       "initializer_range": 0.02, "max_position_embeddings": 1048576,
       "model_type": "deepseek_v4", "moe_intermediate_size": 2048, "n_routed_experts": 256,
       "n_shared_experts": 1, "norm_topk_prob": true, "num_attention_heads": 64,
       "num_experts_per_tok": 6, "num_hidden_layers": 4, "num_hash_layers": 3,
       "num_key_value_heads": 1, "num_nextn_predict_layers": 1, "o_groups": 8,
       "o_lora_rank": 1024, "q_lora_rank": 1024, "qk_rope_head_dim": 64,
       "rms_norm_eps": 1e-06, "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 16,
         "original_max_position_embeddings": 65536, "type": "yarn"},
       "rope_theta": 10000, "compress_rope_theta": 160000, "compress_ratios": [0, 0, 4, 128, 0],
       "routed_scaling_factor": 1.5, "scoring_func": "sqrtsoftplus", "sliding_window": 128,
       "swiglu_limit": 10.0, "tie_word_embeddings": false, "topk_method": "noaux_tc",
       "torch_dtype": "bfloat16", "use_cache": true, "vocab_size": 129280}
      """,
      "\"rate\" : 128"),
  QWEN_2_5(
      """
      {"architectures": ["Qwen2ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 151643,
       "eos_token_id": 151643, "hidden_act": "silu", "hidden_size": 896,
       "initializer_range": 0.02, "intermediate_size": 4864, "max_position_embeddings": 32768,
       "max_window_layers": 24, "model_type": "qwen2", "num_attention_heads": 14,
       "num_hidden_layers": 2, "num_key_value_heads": 2, "rms_norm_eps": 1e-06,
       "rope_theta": 1000000.0, "sliding_window": 32768, "tie_word_embeddings": true,
       "torch_dtype": "bfloat16", "transformers_version": "4.40.1", "use_cache": true,
       "use_mrope": false, "use_sliding_window": false, "vocab_size": 151936}
      """,
      "\"biased\" : true"),
  QWEN_3(
      """
      {"architectures": ["Qwen3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
       "bos_token_id": 151643, "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu",
       "hidden_size": 1024, "initializer_range": 0.02, "intermediate_size": 3072,
       "max_position_embeddings": 40960, "max_window_layers": 28, "model_type": "qwen3",
       "num_attention_heads": 16, "num_hidden_layers": 2, "num_key_value_heads": 8,
       "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 1000000,
       "sliding_window": null, "tie_word_embeddings": true, "torch_dtype": "bfloat16",
       "transformers_version": "4.51.0", "use_cache": true, "use_sliding_window": false,
       "vocab_size": 151936}
      """,
      "\"over\" : \"head\""),
  QWEN_1_5_MOE(
      """
      {"architectures": ["Qwen2MoeForCausalLM"], "attention_dropout": 0.0,
       "bos_token_id": 151643, "eos_token_id": 151643, "hidden_act": "silu",
       "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 5632,
       "max_position_embeddings": 8192, "max_window_layers": 21, "model_type": "qwen2_moe",
       "num_attention_heads": 16, "num_hidden_layers": 2, "num_key_value_heads": 16,
       "rms_norm_eps": 1e-06, "rope_theta": 1000000.0, "sliding_window": 32768,
       "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.39.0.dev0", "use_cache": true, "use_sliding_window": false,
       "vocab_size": 151936, "decoder_sparse_step": 1, "moe_intermediate_size": 1408,
       "norm_topk_prob": false, "num_experts": 60, "num_experts_per_tok": 4,
       "output_router_logits": false, "router_aux_loss_coef": 0.001,
       "shared_expert_intermediate_size": 5632}
      """,
      "\"sharedInner\" : 5632"),
  QWEN_3_30B_A3B(
      """
      {"architectures": ["Qwen3MoeForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "bos_token_id": 151643, "decoder_sparse_step": 1,
       "eos_token_id": 151645, "head_dim": 128, "hidden_act": "silu", "hidden_size": 2048,
       "initializer_range": 0.02, "intermediate_size": 6144, "max_position_embeddings": 40960,
       "max_window_layers": 48, "mlp_only_layers": [], "model_type": "qwen3_moe",
       "moe_intermediate_size": 768, "norm_topk_prob": true, "num_attention_heads": 32,
       "num_experts": 128, "num_experts_per_tok": 8, "num_hidden_layers": 2,
       "num_key_value_heads": 4, "output_router_logits": false, "rms_norm_eps": 1e-06,
       "rope_scaling": null, "rope_theta": 1000000.0, "router_aux_loss_coef": 0.001,
       "sliding_window": null, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.51.0", "use_cache": true, "use_sliding_window": false,
       "vocab_size": 151936}
      """,
      "\"experts\" : 128"),
  GEMMA_2(
      """
      {"architectures": ["Gemma2ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
       "attn_logit_softcapping": 50.0, "bos_token_id": 2, "cache_implementation": "hybrid",
       "eos_token_id": 1, "final_logit_softcapping": 30.0, "head_dim": 256,
       "hidden_act": "gelu_pytorch_tanh", "hidden_activation": "gelu_pytorch_tanh",
       "hidden_size": 2304, "initializer_range": 0.02, "intermediate_size": 9216,
       "max_position_embeddings": 8192, "model_type": "gemma2", "num_attention_heads": 8,
       "num_hidden_layers": 2, "num_key_value_heads": 4, "pad_token_id": 0,
       "query_pre_attn_scalar": 256, "rms_norm_eps": 1e-06, "rope_theta": 10000.0,
       "sliding_window": 4096, "torch_dtype": "float32", "transformers_version": "4.42.4",
       "use_cache": true, "vocab_size": 256000}
      """,
      "\"activation\" : \"gelu-tanh\""),
  GEMMA_3_1B(
      """
      {"architectures": ["Gemma3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
       "attn_logit_softcapping": null, "bos_token_id": 2, "cache_implementation": "hybrid",
       "eos_token_id": [1, 106], "final_logit_softcapping": null, "head_dim": 256,
       "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 1152,
       "initializer_range": 0.02, "intermediate_size": 6912, "max_position_embeddings": 32768,
       "model_type": "gemma3_text", "num_attention_heads": 4, "num_hidden_layers": 6,
       "num_key_value_heads": 1, "pad_token_id": 0, "query_pre_attn_scalar": 256,
       "rms_norm_eps": 1e-06, "rope_local_base_freq": 10000, "rope_scaling": null,
       "rope_theta": 1000000, "sliding_window": 512, "sliding_window_pattern": 6,
       "torch_dtype": "bfloat16", "transformers_version": "4.50.0.dev0", "use_cache": true,
       "vocab_size": 262144}
      """,
      "\"repeat\" : 5"),
  OLMO_2(
      """
      {"architectures": ["Olmo2ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
       "eos_token_id": 100257, "hidden_act": "silu", "hidden_size": 2048,
       "initializer_range": 0.02, "intermediate_size": 8192, "max_position_embeddings": 4096,
       "model_type": "olmo2", "num_attention_heads": 16, "num_hidden_layers": 2,
       "num_key_value_heads": 16, "pad_token_id": 100277, "rms_norm_eps": 1e-06,
       "rope_scaling": null, "rope_theta": 500000, "tie_word_embeddings": false,
       "torch_dtype": "float32", "transformers_version": "4.47.0", "use_cache": true,
       "vocab_size": 100352}
      """,
      "\"over\" : \"row\""),
  OLMO_3(
      """
      {"architectures": ["Olmo3ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
       "eos_token_id": 100257, "hidden_act": "silu", "hidden_size": 4096,
       "initializer_range": 0.02, "intermediate_size": 11008,
       "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention",
         "full_attention"],
       "max_position_embeddings": 65536, "model_type": "olmo3", "num_attention_heads": 32,
       "num_hidden_layers": 4, "num_key_value_heads": 32, "pad_token_id": 100277,
       "rms_norm_eps": 1e-06,
       "rope_scaling": {"attention_factor": 1.2079441541679836, "beta_fast": 32, "beta_slow": 1,
         "factor": 8.0, "original_max_position_embeddings": 8192, "rope_type": "yarn"},
       "rope_theta": 500000, "sliding_window": 4096, "tie_word_embeddings": false,
       "torch_dtype": "float32", "transformers_version": "4.57.0", "use_cache": true,
       "vocab_size": 100278}
      """,
      "\"type\" : \"yarn\""),
  OLMOE(
      """
      {"architectures": ["OlmoeForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
       "clip_qkv": null, "eos_token_id": 50279, "hidden_act": "silu", "hidden_size": 2048,
       "initializer_range": 0.02, "intermediate_size": 1024, "max_position_embeddings": 4096,
       "model_type": "olmoe", "norm_topk_prob": false, "num_attention_heads": 16,
       "num_experts": 64, "num_experts_per_tok": 8, "num_hidden_layers": 2,
       "num_key_value_heads": 16, "output_router_logits": false, "pad_token_id": 1,
       "rope_scaling": null, "rope_theta": 10000.0, "router_aux_loss_coef": 0.01,
       "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.43.0.dev0", "use_cache": true, "vocab_size": 50304}
      """,
      "\"normalized\" : false"),
  SMOLLM_3(
      """
      {"architectures": ["SmolLM3ForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "bos_token_id": 128000, "eos_token_id": 128012,
       "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
       "intermediate_size": 11008,
       "layer_types": ["full_attention", "full_attention", "full_attention", "full_attention"],
       "max_position_embeddings": 65536, "max_window_layers": 28, "mlp_bias": false,
       "model_type": "smollm3", "no_rope_layer_interval": 4, "no_rope_layers": [1, 1, 1, 0],
       "num_attention_heads": 16, "num_hidden_layers": 4, "num_key_value_heads": 4,
       "pad_token_id": 128004, "pretraining_tp": 2, "rms_norm_eps": 1e-06, "rope_scaling": null,
       "rope_theta": 5000000.0, "sliding_window": null, "torch_dtype": "bfloat16",
       "tie_word_embeddings": true, "transformers_version": "4.54.0.dev0", "use_cache": false,
       "use_sliding_window": false, "vocab_size": 128256}
      """,
      "\"repeat\" : 3"),
  EXAONE_4(
      """
      {"architectures": ["Exaone4ForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 1,
       "eos_token_id": 361, "head_dim": 128, "hidden_act": "silu", "hidden_size": 5120,
       "initializer_range": 0.02, "intermediate_size": 27392,
       "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention",
         "full_attention"],
       "max_position_embeddings": 131072, "model_type": "exaone4", "num_attention_heads": 40,
       "num_hidden_layers": 4, "num_key_value_heads": 8, "pad_token_id": 0,
       "rms_norm_eps": 1e-05,
       "rope_scaling": {"factor": 16.0, "high_freq_factor": 4.0, "low_freq_factor": 1.0,
         "original_max_position_embeddings": 8192, "rope_type": "llama3"},
       "rope_theta": 1000000, "sliding_window": 4096, "sliding_window_pattern": "LLLG",
       "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.54.0.dev0", "use_cache": true, "vocab_size": 102400}
      """,
      "\"window\" : 4096"),
  GRANITE_3(
      """
      {"architectures": ["GraniteForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.1, "attention_multiplier": 0.015625, "bos_token_id": 0,
       "embedding_multiplier": 12.0, "eos_token_id": 0, "hidden_act": "silu",
       "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 8192,
       "logits_scaling": 8.0, "max_position_embeddings": 131072, "mlp_bias": false,
       "model_type": "granite", "num_attention_heads": 32, "num_hidden_layers": 2,
       "num_key_value_heads": 8, "pad_token_id": 0, "residual_multiplier": 0.22,
       "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 10000000.0,
       "tie_word_embeddings": true, "torch_dtype": "bfloat16", "transformers_version": "4.47.0",
       "use_cache": true, "vocab_size": 49155}
      """,
      "\"scale\" : 0.22"),
  MIXTRAL_8X7B(
      """
      {"architectures": ["MixtralForCausalLM"], "attention_dropout": 0.0, "bos_token_id": 1,
       "eos_token_id": 2, "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
       "intermediate_size": 14336, "max_position_embeddings": 32768, "model_type": "mixtral",
       "num_attention_heads": 32, "num_experts_per_tok": 2, "num_hidden_layers": 2,
       "num_key_value_heads": 8, "num_local_experts": 8, "output_router_logits": false,
       "rms_norm_eps": 1e-05, "rope_theta": 1000000.0, "router_aux_loss_coef": 0.02,
       "sliding_window": null, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.36.0.dev0", "use_cache": true, "vocab_size": 32000}
      """,
      "\"experts\" : 8"),
  DEEPSEEK_V2_LITE(
      """
      {"architectures": ["DeepseekV2ForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "aux_loss_alpha": 0.001, "bos_token_id": 100000,
       "eos_token_id": 100001, "ep_size": 1, "first_k_dense_replace": 1, "hidden_act": "silu",
       "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 10944,
       "kv_lora_rank": 512, "max_position_embeddings": 163840, "model_type": "deepseek_v2",
       "moe_intermediate_size": 1408, "moe_layer_freq": 1, "n_group": 1, "n_routed_experts": 64,
       "n_shared_experts": 2, "norm_topk_prob": false, "num_attention_heads": 16,
       "num_experts_per_tok": 6, "num_hidden_layers": 2, "num_key_value_heads": 16,
       "pretraining_tp": 1, "q_lora_rank": null, "qk_nope_head_dim": 128,
       "qk_rope_head_dim": 64, "rms_norm_eps": 1e-06,
       "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 0.707,
         "mscale_all_dim": 0.707, "original_max_position_embeddings": 4096, "type": "yarn"},
       "rope_theta": 10000, "routed_scaling_factor": 1.0, "scoring_func": "softmax",
       "seq_aux": true, "tie_word_embeddings": false, "topk_group": 1, "topk_method": "greedy",
       "torch_dtype": "bfloat16", "transformers_version": "4.33.1", "use_cache": true,
       "v_head_dim": 128, "vocab_size": 102400}
      """,
      // (0.0707 · ln 40 + 1)² / √192
      "\"scale\" : 0.11472"),
  MOONLIGHT_16B_A3B(
      """
      {"architectures": ["DeepseekV3ForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "aux_loss_alpha": 0.001, "bos_token_id": 163584,
       "eos_token_id": 163585, "ep_size": 1, "first_k_dense_replace": 1, "hidden_act": "silu",
       "hidden_size": 2048, "initializer_range": 0.02, "intermediate_size": 11264,
       "kv_lora_rank": 512, "max_position_embeddings": 8192, "model_type": "deepseek_v3",
       "moe_intermediate_size": 1408, "moe_layer_freq": 1, "n_group": 1, "n_routed_experts": 64,
       "n_shared_experts": 2, "norm_topk_prob": true, "num_attention_heads": 16,
       "num_experts_per_tok": 6, "num_hidden_layers": 2, "num_key_value_heads": 16,
       "num_nextn_predict_layers": 0, "pretraining_tp": 1, "q_lora_rank": null,
       "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "rms_norm_eps": 1e-05,
       "rope_theta": 50000.0, "routed_scaling_factor": 2.446, "scoring_func": "sigmoid",
       "seq_aux": true, "tie_word_embeddings": false, "topk_group": 1,
       "topk_method": "noaux_tc", "torch_dtype": "bfloat16", "transformers_version": "4.48.3",
       "use_cache": true, "v_head_dim": 128, "vocab_size": 163840}
      """,
      "\"sharedInner\" : 2816"),
  DEEPSEEK_V3_2(
      """
      {"architectures": ["DeepseekV32ForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "bos_token_id": 0, "eos_token_id": 1, "ep_size": 1,
       "first_k_dense_replace": 1, "hidden_act": "silu", "hidden_size": 7168,
       "index_head_dim": 128, "index_n_heads": 64, "index_topk": 2048,
       "initializer_range": 0.02, "intermediate_size": 18432, "kv_lora_rank": 512,
       "max_position_embeddings": 163840, "model_type": "deepseek_v32",
       "moe_intermediate_size": 2048, "moe_layer_freq": 1, "n_group": 8,
       "n_routed_experts": 256, "n_shared_experts": 1, "norm_topk_prob": true,
       "num_attention_heads": 128, "num_experts_per_tok": 8, "num_hidden_layers": 2,
       "num_key_value_heads": 128, "num_nextn_predict_layers": 1, "q_lora_rank": 1536,
       "qk_nope_head_dim": 128, "qk_rope_head_dim": 64, "rms_norm_eps": 1e-06,
       "rope_scaling": {"beta_fast": 32, "beta_slow": 1, "factor": 40, "mscale": 1.0,
         "mscale_all_dim": 1.0, "original_max_position_embeddings": 4096, "type": "yarn"},
       "rope_theta": 10000, "routed_scaling_factor": 2.5, "scoring_func": "sigmoid",
       "tie_word_embeddings": false, "topk_group": 4, "topk_method": "noaux_tc",
       "torch_dtype": "bfloat16", "transformers_version": "4.44.2", "use_cache": true,
       "v_head_dim": 128, "vocab_size": 129280}
      """,
      "\"top\" : 2048"),
  GLM_5(
      """
      {"architectures": ["GlmMoeDsaForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "dtype": "bfloat16", "eos_token_id": [154820, 154827],
       "ep_size": 1, "first_k_dense_replace": 3, "head_dim": 64, "hidden_act": "silu",
       "hidden_size": 6144, "index_head_dim": 128, "index_n_heads": 32,
       "index_share_for_mtp_iteration": true, "index_skip_topk_offset": 3, "index_topk": 2048,
       "index_topk_freq": 4, "index_topk_pattern": null, "indexer_rope_interleave": true,
       "initializer_range": 0.02, "intermediate_size": 12288, "kv_lora_rank": 512,
       "max_position_embeddings": 202752, "model_type": "glm_moe_dsa",
       "moe_intermediate_size": 2048, "moe_layer_freq": 1, "n_group": 1,
       "n_routed_experts": 256, "n_shared_experts": 1, "norm_topk_prob": true,
       "num_attention_heads": 64, "num_experts_per_tok": 8, "num_hidden_layers": 8,
       "num_key_value_heads": 64, "num_nextn_predict_layers": 1, "pad_token_id": 154820,
       "pretraining_tp": 1, "q_lora_rank": 2048, "qk_head_dim": 256, "qk_nope_head_dim": 192,
       "qk_rope_head_dim": 64, "rms_norm_eps": 1e-05, "rope_interleave": true,
       "rope_parameters": {"rope_theta": 1000000, "rope_type": "default"},
       "routed_scaling_factor": 2.5, "scoring_func": "sigmoid", "tie_word_embeddings": false,
       "topk_group": 1, "topk_method": "noaux_tc", "transformers_version": "5.0.2",
       "use_cache": true, "v_head_dim": 256, "vocab_size": 154880}
      """,
      "\"choiceOf\" : 6");

  final String json;

  /** What its document must hold. */
  final String trait;

  LaterHubConfig(String json, String trait) {
    this.json = json;
    this.trait = trait;
  }
}
