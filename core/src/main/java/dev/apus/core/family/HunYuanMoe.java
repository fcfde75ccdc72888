package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.Collections;
import java.util.List;

/**
 * Hunyuan-A13B: queries and keys normalised after they have been turned, and in each layer experts
 * beside a block that all tokens share.
 */
final class HunYuanMoe implements ModelFamily {

  private static final String[] HARMLESS = {
    "cla_share_factor",
    "class_num",
    "dense_list",
    "eod_token_id",
    "im_end_id",
    "im_newline_id",
    "im_start_id",
    "kv_lora_rank",
    "mask_init_id",
    "mlp_bias",
    "moe_drop_tokens",
    "moe_intermediate_size",
    "moe_layer_num_skipped",
    "moe_random_routing_dropped_token",
    "n_group",
    "num_media_embeds",
    "org_vocab_size",
    "pad_id",
    "pool_type",
    "q_lora_rank",
    "qk_nope_head_dim",
    "qk_rope_head_dim",
    "routed_scaling_factor",
    "skip_cls_token",
    "text_end_id",
    "text_start_id",
    "topk_group",
    "v_head_dim",
    "video_end_id",
    "video_start_id",
  };

  @Override
  public List<String> names() {
    return List.of("HunYuanMoEV1ForCausalLM", "hunyuan_v1_moe");
  }

  @Override
  public Architecture describe(Config c) {
    for (String key :
        List.of(
            "use_cla",
            "use_mla",
            "position_embedding_xdrope",
            "group_limited_greedy",
            "add_classification_head")) {
      Decoder.only(c, key, false);
    }
    for (String key :
        List.of("use_qk_norm", "use_rotary_pos_emb", "use_mixed_mlp_moe", "norm_topk_prob")) {
      Decoder.only(c, key, true);
    }
    c.choice("norm_type", "rms", "rms");
    // Settings of layers, images and latents that the published models do not have; experts are as
    // wide as intermediate_size says.
    c.ignore(HARMLESS);
    Decoder d = new Decoder(c);
    if (c.positive("attention_head_dim", d.headDim) != d.headDim) {
      throw c.errorAt("attention_head_dim", "attention_head_dim must be head_dim=%d", d.headDim);
    }
    NormSpec norm = d.rms(1e-5);
    Part attention = d.rope(Decoder.normed(d.biased(d.attention()), norm, "head", true));
    List<Integer> experts = eachLayer(d, "num_experts");
    List<Integer> top = eachLayer(d, "moe_topk");
    List<Integer> shared = eachLayer(d, "num_shared_expert");
    int inner = c.positive("intermediate_size");
    String activation = Activations.of(c);
    return d.architecture(
        "hunyuan_v1_moe",
        i ->
            Decoder.preNorm(
                norm,
                attention,
                Part.of("moe")
                    .with("experts", experts.get(i))
                    .with("top", top.get(i))
                    .with("inner", inner)
                    .with("sharedInner", shared.get(i) * inner)
                    .with("activation", activation)),
        norm);
  }

  /** A number that is given once or for each layer; 1 if it is not there. */
  private static List<Integer> eachLayer(Decoder d, String key) {
    Config c = d.c;
    if (!(c.raw(key) instanceof List)) {
      return Collections.nCopies(d.layers, c.positive(key, 1));
    }
    List<Integer> all = c.integers(key);
    if (all.size() != d.layers || all.stream().anyMatch(n -> n < 1)) {
      throw c.errorAt(key, "%s=%s must be %d numbers from 1", key, all, d.layers);
    }
    return all;
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufHunYuanMoe());
  }

  @Override
  public WeightNames weights(Config c) {
    int inner = c.positive("intermediate_size");
    String layer = Names.LAYER;
    WeightNames names =
        Experts.names(Experts.fused(Names.llama(), c.positive("hidden_size"), inner));
    return Names.gatedMlp(names, "moe.shared.", layer + "mlp.shared_mlp.")
        .row("moe.router", layer + "mlp.gate.wg.weight")
        .row("attention.q.norm", layer + "self_attn.query_layernorm.weight")
        .row("attention.k.norm", layer + "self_attn.key_layernorm.weight");
  }
}
