package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;
import java.util.stream.IntStream;

/**
 * Kimi Linear: three layers of Kimi Delta Attention to one of latent attention without positions,
 * and experts in all layers but the first. Configs number layers from 1 in lists, or name the kind
 * of each.
 */
final class KimiLinear implements ModelFamily {

  private static final String LINEAR = "linear_attn_config";

  @Override
  public List<String> names() {
    return List.of("KimiLinearForCausalLM", "kimi_linear");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder.only(c, "mla_use_nope", true);
    Decoder.only(c, "use_grouped_topk", true);
    c.choice("moe_router_activation_func", "sigmoid", "sigmoid");
    // Nothing is turned, and what predicts further tokens is not run.
    c.ignore("rope_theta", "rope_scaling", "rope_parameters", "num_nextn_predict_layers");
    Decoder d = decoder(c);
    NormSpec norm = d.rms(1e-5);
    List<String> types = mixers(d);
    List<Boolean> sparse = Experts.sparse(d, 1);
    Part attention = LatentSettings.read(d).attention();
    Part delta = delta(d).with("gate", "sigmoid").with("epsilon", norm.epsilon());
    Part dense = d.gatedMlp();
    Part experts = experts(c);
    return d.architecture(
        "kimi-linear",
        i ->
            Decoder.preNorm(
                norm,
                DeltaSettings.isLinear(d, types.get(i)) ? delta : attention,
                sparse.get(i) ? experts : dense),
        norm);
  }

  static Decoder decoder(Config c) {
    int heads = c.positive("num_attention_heads");
    return new Decoder(
        c,
        c.positive("hidden_size"),
        c.positive("num_hidden_layers"),
        heads,
        c.positive("num_key_value_heads", heads),
        c.positive("model_max_length", c.positive("max_position_embeddings", 1 << 20)));
  }

  private static List<String> mixers(Decoder d) {
    if (!d.c.hasSection(LINEAR)) {
      return d.layerTypes(i -> i > 0 && i % 4 == 0 ? "full_attention" : "linear_attention");
    }
    Config c = d.c.section(LINEAR);
    List<Integer> linear = c.integers("kda_layers");
    List<Integer> full = c.integers("full_attn_layers");
    for (int layer = 1; layer <= d.layers; layer++) {
      if (linear.contains(layer) == full.contains(layer)) {
        throw c.errorAt(
            "kda_layers",
            "layer %d, counted from 1, must be in kda_layers or in full_attn_layers",
            layer);
      }
    }
    return IntStream.rangeClosed(1, d.layers)
        .mapToObj(i -> linear.contains(i) ? "linear_attention" : "full_attention")
        .toList();
  }

  /** All heads have keys and values of one length, out of which their gates come as well. */
  private static Part delta(Decoder d) {
    Config top = d.c;
    boolean nested = top.hasSection(LINEAR);
    Config c = nested ? top.section(LINEAR) : top;
    int heads = c.positive(nested ? "num_heads" : "linear_num_heads");
    int dim = c.positive(nested ? "head_dim" : "linear_head_dim");
    return Part.of("gated-delta-net")
        .with("keyHeads", heads)
        .with("valueHeads", heads)
        .with("keyDim", dim)
        .with("valueDim", dim)
        .with("taps", c.positive(nested ? "short_conv_kernel_size" : "linear_conv_kernel_dim", 4))
        .with("decay", "key")
        .with("decayLatent", dim)
        .with("gateLatent", dim);
  }

  private static Part experts(Config c) {
    int inner = c.positive("moe_intermediate_size");
    Part moe =
        Part.of("moe")
            .with("experts", c.positive("num_experts"))
            .with("top", c.positive("num_experts_per_token"))
            .with("inner", inner)
            .with("activation", Activations.of(c));
    int shared = c.count("num_shared_experts", 1);
    return Experts.corrected(
        shared == 0 ? moe : moe.with("sharedInner", shared * inner),
        c,
        "num_expert_group",
        "moe_renormalize");
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufKimiLinear());
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = decoder(c);
    String mixer = Names.LAYER + "self_attn.";
    String channel = Names.LAYER + "block_sparse_moe.";
    WeightNames names = LatentSettings.read(d).names(Names.llama());
    // The reference writes even the dense layer's matrices so.
    Names.gatedMlp(names, "gated-mlp.", channel);
    Names.gatedMlp(names, "gated-mlp.", Names.LAYER + "mlp.");
    Names.gatedMlp(names, "moe.shared.", channel + "shared_experts.");
    return Experts.numbered(DeltaSettings.apart(names, mixer, delta(d)), channel)
        .row("moe.router.correction", channel + "gate.e_score_correction_bias")
        .row(DeltaSettings.OURS + "z.latent", mixer + "g_a_proj.weight")
        .row(DeltaSettings.OURS + "z", mixer + "g_b_proj.weight")
        .row(DeltaSettings.OURS + "a.latent", mixer + "f_a_proj.weight")
        .row(DeltaSettings.OURS + "a", mixer + "f_b_proj.weight");
  }
}
