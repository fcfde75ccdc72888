package dev.apus.core.family;

/** Configs as the authors of models of experts write them, some scaled down. */
enum ExpertHubConfig {
  TRINITY_NANO(
      """
      {"architectures": ["AfmoeForCausalLM"], "attention_dropout": 0.0,
       "auto_map": {"AutoConfig": "configuration_afmoe.AfmoeConfig"}, "dtype": "bfloat16",
       "global_attn_every_n_layers": 4, "head_dim": 128, "hidden_act": "silu",
       "hidden_size": 1024, "initializer_range": 0.02, "intermediate_size": 3072,
       "layer_types": ["sliding_attention", "sliding_attention", "sliding_attention",
         "full_attention"],
       "load_balance_coeff": 0.001, "max_position_embeddings": 131072, "model_type": "afmoe",
       "moe_intermediate_size": 256, "mup_enabled": true, "n_group": 1,
       "num_attention_heads": 8, "num_dense_layers": 2, "num_expert_groups": 1,
       "num_experts": 128, "num_experts_per_tok": 8, "num_hidden_layers": 4,
       "num_key_value_heads": 2, "num_limited_groups": 1, "num_shared_experts": 1,
       "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 10000, "route_norm": true,
       "route_scale": 2.826, "score_func": "sigmoid", "sliding_window": 2048,
       "tie_word_embeddings": false, "topk_group": 1, "use_cache": true,
       "use_grouped_mm": true, "vocab_size": 200192}
      """,
      "\"scale\" : 2.826"),
  DBRX(
      """
      {"architectures": ["DbrxForCausalLM"],
       "attn_config": {"clip_qkv": 8, "kv_n_heads": 8, "model_type": "", "rope_theta": 500000},
       "auto_map": {"AutoConfig": "configuration_dbrx.DbrxConfig"}, "d_model": 6144,
       "emb_pdrop": 0.0,
       "ffn_config": {"ffn_hidden_size": 10752, "model_type": "", "moe_jitter_eps": 0,
         "moe_loss_weight": 0.05, "moe_num_experts": 16, "moe_top_k": 4},
       "initializer_range": 0.02, "max_seq_len": 32768, "model_type": "dbrx", "n_heads": 48,
       "n_layers": 2, "output_router_logits": false, "resid_pdrop": 0.0,
       "router_aux_loss_coef": 0.05, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.38.2", "use_cache": true, "vocab_size": 100352}
      """,
      "\"theta\" : 500000.0"),
  DOTS_1(
      """
      {"architectures": ["Dots1ForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
       "bos_token_id": null, "eos_token_id": 151645, "ep_size": 1, "first_k_dense_replace": 1,
       "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
       "intermediate_size": 10944, "max_position_embeddings": 32768, "max_window_layers": 62,
       "model_type": "dots1", "moe_intermediate_size": 1408, "moe_layer_freq": 1,
       "n_group": 1, "n_routed_experts": 128, "n_shared_experts": 2, "norm_topk_prob": true,
       "num_attention_heads": 32, "num_experts_per_tok": 6, "num_hidden_layers": 2,
       "num_key_value_heads": 32, "pretraining_tp": 1, "rms_norm_eps": 1e-05,
       "rope_scaling": null, "rope_theta": 10000000, "routed_scaling_factor": 2.5,
       "scoring_func": "noaux_tc", "seq_aux": true, "sliding_window": null,
       "tie_word_embeddings": false, "topk_group": 1, "topk_method": "noaux_tc",
       "torch_dtype": "bfloat16", "transformers_version": "4.46.3", "use_cache": true,
       "vocab_size": 152064}
      """,
      "\"sharedInner\" : 2816"),
  ERNIE_4_5(
      """
      {"architectures": ["Ernie4_5_MoeForCausalLM"], "bos_token_id": 1, "dtype": "bfloat16",
       "eos_token_id": 2, "head_dim": 128, "hidden_act": "silu", "hidden_size": 2560,
       "intermediate_size": 12288, "is_quantized": false, "max_position_embeddings": 131072,
       "model_type": "ernie4_5_moe", "moe_capacity": [64, 64, 64], "moe_gate": "topk",
       "moe_intermediate_size": 1536, "moe_k": 6, "moe_layer_end_index": 27,
       "moe_layer_interval": 1, "moe_layer_start_index": 1, "moe_num_experts": 64,
       "moe_num_shared_experts": 2, "moe_use_aux_free": true, "num_attention_heads": 20,
       "num_hidden_layers": 2, "num_key_value_heads": 4, "num_nextn_predict_layers": 1,
       "pad_token_id": 0, "rms_norm_eps": 1e-05, "rope_theta": 500000,
       "tie_word_embeddings": true, "use_bias": false, "use_cache": false,
       "use_rmsnorm": true, "vocab_size": 103424}
      """,
      "\"sharedInner\" : 3072"),
  FLEX_OLMO(
      """
      {"architectures": ["FlexOlmoForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "bos_token_id": null, "eos_token_id": 100257,
       "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
       "intermediate_size": 11008, "max_position_embeddings": 4096, "model_type": "flex_olmo",
       "norm_topk_prob": false, "num_attention_heads": 32, "num_experts": 7,
       "num_experts_per_tok": 5, "num_hidden_layers": 2, "num_key_value_heads": 32,
       "output_router_logits": false, "pad_token_id": 100277, "rms_norm_eps": 1e-06,
       "rope_scaling": null, "rope_theta": 500000, "router_aux_loss_coef": 0.01,
       "tie_word_embeddings": false, "torch_dtype": "bfloat16", "use_cache": true,
       "vocab_size": 100352}
      """,
      "\"experts\" : 7"),
  GLM_4_5_AIR(
      """
      {"architectures": ["Glm4MoeForCausalLM"], "attention_bias": true, "attention_dropout": 0.0,
       "eos_token_id": [151329, 151336, 151338], "first_k_dense_replace": 1, "head_dim": 128,
       "hidden_act": "silu", "hidden_size": 4096, "initializer_range": 0.02,
       "intermediate_size": 10944, "max_position_embeddings": 131072,
       "model_type": "glm4_moe", "moe_intermediate_size": 1408, "n_group": 1,
       "n_routed_experts": 128, "n_shared_experts": 1, "norm_topk_prob": true,
       "num_attention_heads": 96, "num_experts_per_tok": 8, "num_hidden_layers": 2,
       "num_key_value_heads": 8, "num_nextn_predict_layers": 1, "pad_token_id": 151329,
       "partial_rotary_factor": 0.5, "rms_norm_eps": 1e-05, "rope_scaling": null,
       "rope_theta": 1000000, "routed_scaling_factor": 1.0, "tie_word_embeddings": false,
       "topk_group": 1, "torch_dtype": "bfloat16", "transformers_version": "4.54.0",
       "use_cache": true, "use_qk_norm": false, "vocab_size": 151552}
      """,
      "\"dims\" : 64"),
  HUNYUAN_A13B(
      """
      {"add_classification_head": false, "architectures": ["HunYuanMoEV1ForCausalLM"],
       "attention_bias": false, "attention_dropout": 0.1, "attention_head_dim": 128,
       "bos_token_id": 1, "cla_share_factor": 2, "class_num": 0, "dense_list": [4096, 0],
       "eod_token_id": 127967, "eos_token_id": 127960, "group_limited_greedy": false,
       "hidden_act": "silu", "hidden_size": 4096, "im_end_id": 6, "im_newline_id": 12,
       "im_start_id": 5, "initializer_range": 0.02, "intermediate_size": 3072,
       "kv_lora_rank": null, "mask_init_id": 13, "max_position_embeddings": 32768,
       "mlp_bias": false, "model_type": "hunyuan_v1_moe", "moe_drop_tokens": false,
       "moe_intermediate_size": [3072, 3072], "moe_layer_num_skipped": 0,
       "moe_random_routing_dropped_token": false, "moe_topk": [8, 8], "n_group": false,
       "norm_topk_prob": true, "norm_type": "rms", "num_attention_heads": 32,
       "num_experts": 64, "num_hidden_layers": 2, "num_key_value_heads": 8,
       "num_media_embeds": 257, "num_shared_expert": [1, 1], "org_vocab_size": 128167,
       "pad_id": 127961, "pad_token_id": 127961, "pool_type": "last",
       "position_embedding_xdrope": false, "pretraining_tp": 1, "q_lora_rank": null,
       "qk_nope_head_dim": null, "qk_rope_head_dim": null, "rms_norm_eps": 1e-05,
       "rope_scaling": {"alpha": 1000.0, "beta_fast": 32, "beta_slow": 1, "factor": 1.0,
         "mscale": 1.0, "mscale_all_dim": 0.0, "type": "dynamic"},
       "rope_theta": 10000.0, "routed_scaling_factor": false, "sep_token_id": 127962,
       "skip_cls_token": false, "text_end_id": 8, "text_start_id": 7,
       "tie_word_embeddings": true, "topk_group": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.41.2", "use_cache": true, "use_cla": false,
       "use_mixed_mlp_moe": true, "use_mla": false, "use_qk_norm": true,
       "use_rotary_pos_emb": true, "v_head_dim": null, "vocab_size": 128167}
      """,
      "\"top\" : 8"),
  PHI_3_5_MOE(
      """
      {"architectures": ["PhiMoEForCausalLM"], "attention_bias": true, "attention_dropout": 0.0,
       "auto_map": {"AutoConfig": "configuration_phimoe.PhiMoEConfig"}, "bos_token_id": 1,
       "eos_token_id": 32000, "hidden_act": "silu", "hidden_dropout": 0.0,
       "hidden_size": 256, "initializer_range": 0.02, "input_jitter_noise": 0.01,
       "intermediate_size": 6400, "lm_head_bias": true, "max_position_embeddings": 131072,
       "model_type": "phimoe", "num_attention_heads": 32, "num_experts_per_tok": 2,
       "num_hidden_layers": 2, "num_key_value_heads": 8, "num_local_experts": 16,
       "original_max_position_embeddings": 4096, "output_router_logits": false,
       "rms_norm_eps": 1e-05,
       "rope_scaling": {"long_factor": [1.02, 1.03, 1.05, 1.08],
         "long_mscale": 1.243163121016122, "original_max_position_embeddings": 4096,
         "short_factor": [1.0, 1.04, 1.04, 1.05], "short_mscale": 1.243163121016122,
         "type": "longrope"},
       "rope_theta": 10000.0, "router_aux_loss_coef": 0.0, "router_jitter_noise": 0.01,
       "sliding_window": 131072, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.43.3", "use_cache": true, "vocab_size": 32064}
      """,
      "\"attentionFactor\" : 1.243163121016122"),
  LONGCAT_FLASH(
      """
      {"architectures": ["LongcatFlashForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "attention_method": "MLA",
       "auto_map": {"AutoConfig": "configuration_longcat_flash.LongcatFlashConfig"},
       "bos_token_id": 1, "eos_token_id": 2, "expert_ffn_hidden_size": 2048,
       "ffn_hidden_size": 12288, "hidden_size": 6144, "kv_lora_rank": 512,
       "max_position_embeddings": 131072, "mla_scale_kv_lora": true,
       "mla_scale_q_lora": true, "model_type": "longcat_flash", "moe_topk": 12,
       "n_routed_experts": 512, "num_attention_heads": 64, "num_layers": 2,
       "q_lora_rank": 1536, "qk_nope_head_dim": 128, "qk_rope_head_dim": 64,
       "rms_norm_eps": 1e-05, "rope_theta": 10000000.0, "routed_scaling_factor": 6.0,
       "torch_dtype": "bfloat16", "transformers_version": "4.55.0", "use_cache": true,
       "v_head_dim": 128, "vocab_size": 131072, "zero_expert_num": 256,
       "zero_expert_type": "identity"}
      """,
      "\"copyExperts\" : 256"),
  JETMOE_8B(
      """
      {"activation_function": "silu", "architectures": ["JetMoEForCausalLM"], "bias": true,
       "bos_token_id": 1, "eos_token_id": 2, "ffn_hidden_size": 5632, "glu": true,
       "hidden_size": 2048, "initializer_range": 0.01, "kv_channels": 128,
       "max_position_embeddings": 4096, "model_type": "jetmoe", "moe_num_experts": 8,
       "moe_top_k": 2, "num_attention_heads": 32, "num_hidden_layers": 2,
       "num_key_value_heads": 16, "rms_norm_eps": 1e-05, "rope_theta": 10000.0,
       "tie_word_embeddings": true, "torch_dtype": "bfloat16", "use_cache": true,
       "vocab_size": 32000}
      """,
      "\"inner\" : 5632");

  final String json;

  /** What its document must hold. */
  final String trait;

  ExpertHubConfig(String json, String trait) {
    this.json = json;
    this.trait = trait;
  }
}
