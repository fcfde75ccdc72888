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
 * AFMoE, the Trinity models: gated attention, positions in layers with a window alone, norms before
 * and after each part, and the router of DeepSeek-V3 in all but the first layers.
 */
final class Afmoe implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("AfmoeForCausalLM", "afmoe");
  }

  @Override
  public Architecture describe(Config c) {
    // Losses, and how experts are computed.
    c.ignore("load_balance_coeff", "use_grouped_mm");
    c.choice("score_func", "sigmoid", "sigmoid");
    Decoder d = new Decoder(c, 16_384);
    NormSpec norm = d.rms(1e-5);
    Part global = Decoder.normed(d.biased(d.attention()), norm, "head", false).with("gated", true);
    Part local = d.rope(global).with("window", c.positive("sliding_window", 1024));
    int every = c.positive("global_attn_every_n_layers", 4);
    List<String> types =
        d.layerTypes(i -> (i + 1) % every == 0 ? "full_attention" : "sliding_attention");
    int first = c.count("num_dense_layers", 1);
    Part dense = d.gatedMlp();
    Part experts = experts(c);
    float scale = c.flag("mup_enabled", false) ? (float) Math.sqrt(d.width) : 1;
    return d.architecture(
        "afmoe",
        new Embedding(scale, 0, null),
        i ->
            Decoder.sandwich(
                norm, d.slides(types.get(i)) ? local : global, i < first ? dense : experts),
        norm,
        Head.of(c.flag("tie_word_embeddings", false)));
  }

  private static Part experts(Config c) {
    int inner = c.positive("moe_intermediate_size");
    Part moe =
        Part.of("moe")
            .with("experts", c.positive("num_experts"))
            .with("top", c.positive("num_experts_per_tok"))
            .with("inner", inner)
            .with("activation", Activations.of(c));
    int shared = c.count("num_shared_experts", 2);
    String groups = Decoder.spelled(c, "num_expert_groups", "n_group");
    String top = Decoder.spelled(c, "num_limited_groups", "topk_group");
    return Experts.corrected(
        shared == 0 ? moe : moe.with("sharedInner", shared * inner),
        c.positive(groups, 1),
        c.positive(top, 1),
        c.real("route_scale", 1),
        c.flag("route_norm", true));
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufAfmoe());
  }

  @Override
  public WeightNames weights(Config c) {
    String layer = Names.LAYER;
    String mlp = layer + "mlp.";
    int inner = c.positive("moe_intermediate_size");
    WeightNames names =
        Experts.names(Experts.fused(Names.llama(), c.positive("hidden_size"), inner));
    return Names.gatedMlp(names, "moe.shared.", mlp + "shared_experts.")
        .row("moe.router", mlp + "router.gate.weight")
        .row("moe.router.correction", mlp + "expert_bias")
        .row("attention.gate", layer + "self_attn.gate_proj.weight")
        .row("mixer.after", layer + "post_attention_layernorm.weight")
        .row("channel.norm", layer + "pre_mlp_layernorm.weight")
        .row("channel.after", layer + "post_mlp_layernorm.weight");
  }
}
