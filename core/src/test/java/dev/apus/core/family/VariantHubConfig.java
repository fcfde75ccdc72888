package dev.apus.core.family;

/**
 * Configs as they are on the hub of families with attention or experts of their own, scaled down.
 */
enum VariantHubConfig {
  DIFF_LLAMA(
      """
      {"architectures": ["DiffLlamaForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "bos_token_id": 1, "eos_token_id": 2, "head_dim": 64,
       "hidden_act": "silu", "hidden_size": 1024, "initializer_range": 0.02,
       "intermediate_size": 4096, "lambda_std_dev": 0.1, "max_position_embeddings": 2048,
       "model_type": "diffllama", "num_attention_heads": 16, "num_hidden_layers": 2,
       "num_key_value_heads": 4, "rms_norm_eps": 1e-05, "rope_scaling": null,
       "rope_theta": 10000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.48.0", "use_cache": true, "vocab_size": 32000}
      """,
      "\"valueDim\" : 128"),
  DOGE_MOE(
      """
      {"architectures": ["DogeForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
       "hidden_act": "silu", "hidden_dropout": 0.0, "hidden_size": 384,
       "initializer_range": 0.02, "intermediate_size": 768, "is_moe": true,
       "keep_window_size": 2048, "max_position_embeddings": 2048, "mlp_bias": false,
       "model_type": "doge", "norm_topk_prob": false, "num_attention_heads": 6,
       "num_experts": 4096, "num_experts_per_tok": 64, "num_hidden_layers": 2,
       "num_key_value_heads": 3, "output_router_logits": false, "rms_norm_eps": 1e-06,
       "rope_scaling": null, "rope_theta": 10000.0, "router_aux_loss_coef": 0.001,
       "sliding_window": null, "tie_word_embeddings": true, "torch_dtype": "float32",
       "transformers_version": "4.54.0", "use_cache": true, "vocab_size": 32768}
      """,
      "\"type\" : \"product-keys\""),
  GEMMA_4_E2B(
      """
      {"architectures": ["Gemma4ForConditionalGeneration"],
       "audio_config": {"model_type": "gemma4_audio"}, "audio_token_id": 258881,
       "boa_token_id": 256000, "boi_token_id": 255999, "dtype": "bfloat16",
       "eoa_token_index": 258883, "eoi_token_id": 258882, "eos_token_id": [1, 106],
       "image_token_id": 258880, "initializer_range": 0.02, "model_type": "gemma4",
       "text_config": {"attention_bias": false, "attention_dropout": 0.0,
         "attention_k_eq_v": false, "bos_token_id": 2, "dtype": "bfloat16",
         "enable_moe_block": false, "eos_token_id": 1, "final_logit_softcapping": 30.0,
         "global_head_dim": 512, "head_dim": 256, "hidden_activation": "gelu_pytorch_tanh",
         "hidden_size": 1536, "hidden_size_per_layer_input": 256, "initializer_range": 0.02,
         "intermediate_size": 6144,
         "layer_types": ["sliding_attention", "full_attention", "sliding_attention",
           "full_attention"],
         "max_position_embeddings": 131072, "model_type": "gemma4_text",
         "moe_intermediate_size": null, "num_attention_heads": 8, "num_experts": null,
         "num_global_key_value_heads": null, "num_hidden_layers": 4, "num_key_value_heads": 1,
         "num_kv_shared_layers": 2, "pad_token_id": 0, "rms_norm_eps": 1e-06,
         "rope_parameters": {
           "full_attention": {"partial_rotary_factor": 0.25, "rope_theta": 1000000.0,
             "rope_type": "proportional"},
           "sliding_attention": {"rope_theta": 10000.0, "rope_type": "default"}},
         "sliding_window": 512, "tie_word_embeddings": true, "top_k_experts": null,
         "use_bidirectional_attention": null, "use_cache": true, "use_double_wide_mlp": true,
         "vocab_size": 262144, "vocab_size_per_layer_input": 262144},
       "tie_word_embeddings": true, "transformers_version": "5.5.0",
       "video_token_id": 258884, "vision_config": {"model_type": "gemma4_vision"},
       "vision_soft_tokens_per_image": 280}
      """,
      "\"inner\" : 12288"),
  GPT_OSS_20B(
      """
      {"architectures": ["GptOssForCausalLM"], "attention_bias": true, "attention_dropout": 0.0,
       "eos_token_id": 200002, "experts_per_token": 4, "head_dim": 64, "hidden_act": "silu",
       "hidden_size": 2880, "initial_context_length": 4096, "initializer_range": 0.02,
       "intermediate_size": 2880, "layer_types": ["sliding_attention", "full_attention"],
       "max_position_embeddings": 131072, "model_type": "gpt_oss", "num_attention_heads": 64,
       "num_experts_per_tok": 4, "num_hidden_layers": 2, "num_key_value_heads": 8,
       "num_local_experts": 32, "output_router_logits": false, "pad_token_id": 199999,
       "quantization_config": {"modules_to_not_convert": ["model.layers.*.self_attn",
         "model.layers.*.mlp.router", "model.embed_tokens", "lm_head"], "quant_method": "mxfp4"},
       "rms_norm_eps": 1e-05,
       "rope_scaling": {"beta_fast": 32.0, "beta_slow": 1.0, "factor": 32.0,
         "original_max_position_embeddings": 4096, "rope_type": "yarn", "truncate": false},
       "rope_theta": 150000, "router_aux_loss_coef": 0.9, "sliding_window": 128,
       "swiglu_limit": 7.0, "tie_word_embeddings": false, "transformers_version": "4.55.0.dev0",
       "use_cache": true, "vocab_size": 201088}
      """,
      "\"truncate\" : false");

  final String json;

  /** What its document must hold. */
  final String trait;

  VariantHubConfig(String json, String trait) {
    this.json = json;
    this.trait = trait;
  }
}
