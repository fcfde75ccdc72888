package dev.apus.core.family;

/**
 * Configs as they are on the hub of families whose layers carry a state along, some scaled down.
 */
enum RecurrentHubConfig {
  QWEN_3_NEXT(
      """
      {"architectures": ["Qwen3NextForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "bos_token_id": 151643, "decoder_sparse_step": 1,
       "eos_token_id": 151645, "full_attention_interval": 4, "head_dim": 256,
       "hidden_act": "silu", "hidden_size": 2048, "initializer_range": 0.02,
       "intermediate_size": 5120, "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128,
       "linear_num_key_heads": 16, "linear_num_value_heads": 32, "linear_value_head_dim": 128,
       "max_position_embeddings": 262144, "mlp_only_layers": [], "model_type": "qwen3_next",
       "moe_intermediate_size": 512, "norm_topk_prob": true, "num_attention_heads": 16,
       "num_experts": 512, "num_experts_per_tok": 10, "num_hidden_layers": 4,
       "num_key_value_heads": 2, "output_router_logits": false, "partial_rotary_factor": 0.25,
       "rms_norm_eps": 1e-06, "rope_scaling": null, "rope_theta": 10000000,
       "router_aux_loss_coef": 0.001, "shared_expert_intermediate_size": 512,
       "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.57.0.dev0", "use_cache": true, "use_sliding_window": false,
       "vocab_size": 151936}
      """,
      "\"dims\" : 64"),
  QWEN_3_5(
      """
      {"architectures": ["Qwen3_5ForConditionalGeneration"], "image_token_id": 248056,
       "model_type": "qwen3_5",
       "text_config": {"attention_bias": false, "attention_dropout": 0.0,
         "attn_output_gate": true, "dtype": "bfloat16", "eos_token_id": 248044,
         "full_attention_interval": 4, "head_dim": 256, "hidden_act": "silu",
         "hidden_size": 1024, "initializer_range": 0.02, "intermediate_size": 3584,
         "layer_types": ["linear_attention", "linear_attention", "linear_attention",
           "full_attention"],
         "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128, "linear_num_key_heads": 16,
         "linear_num_value_heads": 16, "linear_value_head_dim": 128,
         "mamba_ssm_dtype": "float32", "max_position_embeddings": 262144,
         "model_type": "qwen3_5_text", "mtp_num_hidden_layers": 1,
         "mtp_use_dedicated_embeddings": false, "num_attention_heads": 8,
         "num_hidden_layers": 4, "num_key_value_heads": 2, "rms_norm_eps": 1e-06,
         "rope_parameters": {"mrope_interleaved": true, "mrope_section": [11, 11, 10],
           "partial_rotary_factor": 0.25, "rope_theta": 10000000, "rope_type": "default"},
         "tie_word_embeddings": true, "use_cache": true, "vocab_size": 248320},
       "tie_word_embeddings": true, "transformers_version": "4.57.0.dev0",
       "video_token_id": 248057,
       "vision_config": {"depth": 12, "hidden_size": 768, "model_type": "qwen3_5"},
       "vision_end_token_id": 248054, "vision_start_token_id": 248053}
      """,
      "\"gated\" : true"),
  LFM2_1_2B(
      """
      {"architectures": ["Lfm2ForCausalLM"], "block_auto_adjust_ff_dim": true, "block_dim": 2048,
       "block_ff_dim": 12288, "block_ffn_dim_multiplier": 1.0, "block_mlp_init_scale": 1.0,
       "block_multiple_of": 256, "block_norm_eps": 1e-05, "block_out_init_scale": 1.0,
       "block_use_swiglu": true, "block_use_xavier_init": true, "bos_token_id": 1,
       "conv_L_cache": 3, "conv_bias": false, "conv_dim": 2048, "conv_dim_out": 2048,
       "conv_use_xavier_init": true, "eos_token_id": 7,
       "full_attn_idxs": [2, 5, 8, 10, 12, 14], "hidden_size": 2048, "initializer_range": 0.02,
       "max_position_embeddings": 128000, "model_type": "lfm2", "norm_eps": 1e-05,
       "num_attention_heads": 32, "num_heads": 32, "num_hidden_layers": 16,
       "num_key_value_heads": 8, "pad_token_id": 0, "rope_theta": 1000000.0,
       "torch_dtype": "bfloat16", "transformers_version": "4.54.0.dev0", "use_cache": true,
       "use_pos_enc": true, "vocab_size": 65536}
      """,
      "\"inner\" : 8192"),
  RECURRENT_GEMMA_2B(
      """
      {"_block_types": ["recurrent", "recurrent", "attention"],
       "architectures": ["RecurrentGemmaForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "attention_window_size": 2048, "bos_token_id": 2,
       "conv1d_width": 4, "embeddings_scale_by_sqrt_dim": true, "eos_token_id": 1,
       "final_w_init_variance_scale": 0.07692307692307693, "head_dim": 256,
       "hidden_activation": "gelu_pytorch_tanh", "hidden_size": 2560,
       "intermediate_size": 15360, "logits_soft_cap": 30.0, "lru_width": 2560,
       "model_type": "recurrent_gemma", "num_attention_heads": 10, "num_hidden_layers": 26,
       "num_key_value_heads": 1, "pad_token_id": 0, "partial_rotary_factor": 0.5,
       "rms_norm_eps": 1e-06, "rope_theta": 10000.0, "torch_dtype": "float32",
       "transformers_version": "4.40.0.dev0", "use_cache": true, "vocab_size": 256000,
       "w_init_variance_scale": 0.01}
      """,
      "\"scale\" : 50.5"),
  MINIMAX_TEXT_01(
      """
      {"architectures": ["MiniMaxText01ForCausalLM"], "attention_dropout": 0.0,
       "attn_type_list": [0, 0, 0, 0, 0, 0, 0, 1],
       "auto_map": {"AutoConfig": "configuration_minimax_text_01.MiniMaxText01Config"},
       "bos_token_id": null, "eos_token_id": null, "head_dim": 128, "hidden_act": "silu",
       "hidden_size": 6144, "initializer_range": 0.02, "intermediate_size": 9216,
       "layernorm_full_attention_alpha": 3.5565588200778455,
       "layernorm_full_attention_beta": 1.0,
       "layernorm_linear_attention_alpha": 3.5565588200778455,
       "layernorm_linear_attention_beta": 1.0, "layernorm_mlp_alpha": 3.5565588200778455,
       "layernorm_mlp_beta": 1.0, "max_position_embeddings": 10240000,
       "model_type": "minimax_text_01", "num_attention_heads": 64, "num_experts_per_tok": 2,
       "num_hidden_layers": 8, "num_key_value_heads": 8, "num_local_experts": 32,
       "output_router_logits": false, "postnorm": true, "rms_norm_eps": 1e-05,
       "rope_theta": 10000000, "rotary_dim": 64, "router_aux_loss_coef": 0.001,
       "router_jitter_noise": 0.0, "shared_intermediate_size": [0], "shared_moe_mode": "sigmoid",
       "sliding_window": null, "tie_word_embeddings": false, "transformers_version": "4.45.2",
       "use_cache": true, "vocab_size": 200064}
      """,
      "\"keep\" : 3.5565588"),
  MAMBA_130M(
      """
      {"architectures": ["MambaForCausalLM"], "bos_token_id": 0, "conv_kernel": 4,
       "d_inner": 1536, "d_model": 768, "eos_token_id": 0, "expand": 2, "fused_add_norm": true,
       "hidden_act": "silu", "hidden_size": 768, "initializer_range": 0.1,
       "intermediate_size": 1536, "layer_norm_epsilon": 1e-05, "model_type": "mamba",
       "n_layer": 24, "num_hidden_layers": 24, "pad_token_id": 0, "pad_vocab_size_multiple": 8,
       "rescale_prenorm_residual": false, "residual_in_fp32": true, "rms_norm": true,
       "ssm_cfg": {}, "state_size": 16, "time_step_floor": 0.0001,
       "time_step_init_scheme": "random", "time_step_max": 0.1, "time_step_min": 0.001,
       "time_step_rank": 48, "time_step_scale": 1.0, "torch_dtype": "float32",
       "transformers_version": "4.39.0.dev0", "use_bias": false, "use_cache": true,
       "use_conv_bias": true, "vocab_size": 50280}
      """,
      "\"inner\" : 1536"),
  ORIGINAL_MAMBA_130M(
      """
      {"d_model": 768, "n_layer": 24, "vocab_size": 50277, "ssm_cfg": {}, "rms_norm": true,
       "residual_in_fp32": true, "fused_add_norm": true, "pad_vocab_size_multiple": 8}
      """,
      "\"vocabulary\" : 50280"),
  FALCON_MAMBA_7B(
      """
      {"architectures": ["FalconMambaForCausalLM"], "bos_token_id": 0, "conv_kernel": 4,
       "eos_token_id": 11, "expand": 16, "hidden_act": "silu", "hidden_size": 4096,
       "initializer_range": 0.1, "intermediate_size": 8192, "layer_norm_epsilon": 1e-05,
       "model_type": "falcon_mamba", "num_hidden_layers": 64, "pad_token_id": 11,
       "rescale_prenorm_residual": false, "residual_in_fp32": true, "state_size": 16,
       "tie_word_embeddings": false, "time_step_floor": 0.0001,
       "time_step_init_scheme": "random", "time_step_max": 0.1, "time_step_min": 0.001,
       "time_step_rank": 256, "time_step_scale": 1.0, "torch_dtype": "bfloat16",
       "transformers_version": "4.43.0.dev0", "use_bias": false, "use_cache": true,
       "use_conv_bias": true, "vocab_size": 65024}
      """,
      "\"inner\" : 8192"),
  JAMBA(
      """
      {"architectures": ["JambaForCausalLM"], "attention_dropout": 0.0, "attn_layer_offset": 4,
       "attn_layer_period": 8, "bos_token_id": 1, "calc_logits_for_entire_prompt": false,
       "eos_token_id": 2, "expert_layer_offset": 1, "expert_layer_period": 2,
       "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
       "intermediate_size": 14336, "mamba_conv_bias": true, "mamba_d_conv": 4,
       "mamba_d_state": 16, "mamba_dt_rank": 256, "mamba_expand": 2,
       "mamba_inner_layernorms": true, "mamba_proj_bias": false, "model_type": "jamba",
       "n_ctx": 262144, "num_attention_heads": 32, "num_experts": 16, "num_experts_per_tok": 2,
       "num_hidden_layers": 32, "num_key_value_heads": 8, "output_router_logits": false,
       "pad_token_id": 0, "rms_norm_eps": 1e-06, "router_aux_loss_coef": 0.001,
       "sliding_window": null, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.40.0.dev0", "use_cache": true, "use_mamba_kernels": true,
       "vocab_size": 65536}
      """,
      "\"dtRank\" : 256"),
  XLSTM_7B(
      """
      {"add_embedding_dropout": false, "add_forward_backend_padding": false,
       "add_out_norm": true, "add_post_blocks_norm": true, "add_post_norm": false,
       "add_qk_norm": false, "architectures": ["xLSTMForCausalLM"],
       "autocast_kernel_dtype": "bfloat16", "bos_token_id": 0, "cell_norm_eps": 1e-06,
       "chunk_size": 64, "chunkwise_kernel": "chunkwise--triton_xl_chunk",
       "embedding_dim": 4096, "eos_token_id": 2, "eps": 1e-06, "ffn_proj_factor": 2.667,
       "ffn_round_up_to_multiple_of": 64, "force_bos_token_insert": true,
       "gate_soft_cap": 15.0, "head_dim": 512, "igate_bias_init_range": -10.0,
       "inference_state_dtype": "float32", "mlstm_round_up_to_multiple_of": 64,
       "mode": "inference", "model_type": "xlstm", "norm_eps": 1e-06,
       "norm_reduction_force_float32": true, "num_blocks": 2, "num_heads": 8,
       "output_logit_soft_cap": 30.0, "pad_token_id": 1, "qk_dim_factor": 0.5,
       "return_last_states": true, "sequence_kernel": "native_sequence__triton",
       "step_kernel": "triton", "tie_word_embeddings": false, "torch_dtype": "float32",
       "transformers_version": "4.48.0.dev0", "use_bias": false, "use_cache": true,
       "v_dim_factor": 1.0, "vocab_size": 50304, "weight_mode": "single"}
      """,
      "\"inner\" : 10944");

  final String json;

  /** What its document must hold. */
  final String trait;

  RecurrentHubConfig(String json, String trait) {
    this.json = json;
    this.trait = trait;
  }
}
