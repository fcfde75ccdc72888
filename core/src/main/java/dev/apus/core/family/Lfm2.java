package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * LFM2: gated short convolutions in most layers, attention over everything in the others, and in
 * the larger models experts after the first few layers.
 */
final class Lfm2 implements ModelFamily {

  private static final String ATTENTION = "full_attention";
  private static final String CONVOLUTION = "conv";

  /** What configs say twice. */
  private static final String[][] REPEATED = {
    {"hidden_size", "block_dim"},
    {"hidden_size", "conv_dim"},
    {"hidden_size", "conv_dim_out"},
    {"num_attention_heads", "num_heads"},
    {"norm_eps", "block_norm_eps"},
    {"rope_theta", "theta"}
  };

  @Override
  public List<String> names() {
    return List.of("Lfm2ForCausalLM", "lfm2", "Lfm2MoeForCausalLM", "lfm2_moe");
  }

  @Override
  public Architecture describe(Config c) {
    for (String[] keys : REPEATED) {
      Decoder.spelled(c, keys[0], keys[1]);
    }
    Decoder.only(c, "block_use_swiglu", true);
    Decoder.only(c, "use_pos_enc", true);
    c.ignore(
        "block_mlp_init_scale",
        "block_out_init_scale",
        "block_use_xavier_init",
        "conv_use_xavier_init");
    Decoder d = new Decoder(c, 128_000);
    NormSpec norm =
        NormSpec.rms(Decoder.epsilon(c, Decoder.spelled(c, "norm_eps", "rms_norm_eps"), 1e-5));
    List<String> types = layerTypes(d);
    RopeSettings rope = RopeSettings.read(c, 1e6, 1, d.headDim, d.context);
    Part attention = rope.on(Decoder.normed(d.attention(), norm, "head", false));
    Part convolution =
        Part.of("gated-convolution")
            .with("taps", c.positive("conv_L_cache", 3))
            .with("biased", c.flag("conv_bias", false));
    boolean sparse = c.word("model_type", "lfm2").equals("lfm2_moe");
    Part mlp = d.gatedMlp(sparse ? c.positive("intermediate_size") : inner(c));
    Part moe = sparse ? experts(c) : null;
    int dense = sparse ? c.count("num_dense_layers", 2) : d.layers;
    return d.architecture(
        sparse ? "lfm2-moe" : "lfm2",
        Embedding.PLAIN,
        i -> {
          Part mixer = types.get(i).equals(CONVOLUTION) ? convolution : attention;
          return Decoder.preNorm(norm, mixer, i < dense ? mlp : moe);
        },
        norm,
        Head.of(c.flag(Decoder.spelled(c, "tie_word_embeddings", "tie_embedding"), true)));
  }

  /**
   * {@code conv} or {@code full_attention} for each layer, of which configs may list the latter.
   */
  private static List<String> layerTypes(Decoder d) {
    Config c = d.c;
    List<Integer> attending = c.has("full_attn_idxs") ? c.integers("full_attn_idxs") : null;
    List<String> types =
        d.layerTypes(i -> attending == null || attending.contains(i) ? ATTENTION : CONVOLUTION);
    for (int i = 0; i < d.layers; i++) {
      String type = types.get(i);
      if (!List.of(ATTENTION, CONVOLUTION).contains(type)) {
        throw c.errorAt(
            "layer_types",
            "layer_types holds \"%s\"; this family has %s and %s",
            type,
            CONVOLUTION,
            ATTENTION);
      }
      if (attending != null && attending.contains(i) != type.equals(ATTENTION)) {
        throw c.errorAt(
            "full_attn_idxs",
            "full_attn_idxs and layer_types[%d]=\"%s\" disagree; keep one of them",
            i,
            type);
      }
    }
    return types;
  }

  private static Part experts(Config c) {
    Part moe =
        Part.of("moe")
            .with("experts", c.positive("num_experts"))
            .with("top", c.positive("num_experts_per_tok"))
            .with("inner", c.positive("moe_intermediate_size"))
            .with("score", "sigmoid")
            .with("biased", c.flag("use_expert_bias", true))
            .with("scale", c.real("routed_scaling_factor", 1));
    return c.flag("norm_topk_prob", true)
        ? moe.with("epsilon", 1e-6)
        : moe.with("normalized", false);
  }

  /** The width inside an MLP, which configs may state as that of a block without a gate. */
  private static int inner(Config c) {
    int stated = c.positive(Decoder.spelled(c, "intermediate_size", "block_ff_dim"));
    boolean adjusted = c.flag("block_auto_adjust_ff_dim", true);
    boolean rounded = !c.isNull("block_ffn_dim_multiplier");
    double factor = c.number("block_ffn_dim_multiplier", 1);
    int multiple = c.positive("block_multiple_of", 256);
    if (!adjusted) {
      return stated;
    }
    int gated = (int) (2.0 * stated / 3);
    long inner =
        rounded ? (long) multiple * Math.ceilDiv((long) (factor * gated), multiple) : gated;
    if (inner < 1 || inner > Integer.MAX_VALUE) {
      throw c.errorAt(
          "block_ffn_dim_multiplier",
          "the adjusted width of an MLP is %d; it must be positive and below 2^31",
          inner);
    }
    return (int) inner;
  }

  @Override
  public WeightNames weights(Config c) {
    String layer = Names.LAYER;
    WeightNames names =
        Names.withoutNorms()
            .row("norm", "model.embedding_norm.weight")
            .row("mixer.norm", layer + "operator_norm.weight")
            .row("channel.norm", layer + "ffn_norm.weight")
            .row("attention.o", layer + "self_attn.out_proj.weight")
            .row("attention.q.norm", layer + "self_attn.q_layernorm.weight")
            .row("attention.k.norm", layer + "self_attn.k_layernorm.weight")
            .row("gated-convolution.in", layer + "conv.in_proj.weight")
            .row("gated-convolution.conv", layer + "conv.conv.weight")
            .row("gated-convolution.out", layer + "conv.out_proj.weight");
    String block = layer + "feed_forward.";
    if (c.has("moe_intermediate_size")) {
      int inner = c.positive("moe_intermediate_size");
      Experts.fused(names, block, c.positive("hidden_size"), inner);
    }
    return Experts.numbered(names, block)
        .row("moe.router.correction", block + "expert_bias")
        .row("gated-mlp.gate", block + "w1.weight")
        .row("gated-mlp.up", block + "w3.weight")
        .row("gated-mlp.down", block + "w2.weight");
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufLfm2());
  }
}
