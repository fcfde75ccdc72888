package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Nemotron-H and Nemotron 3: layers of one part each, which is Mamba-2, attention without
 * positions, a squared-ReLU block, or experts of such blocks.
 */
final class NemotronH implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("NemotronHForCausalLM", "nemotron_h");
  }

  @Override
  public Architecture describe(Config c) {
    Mamba2Settings.ignoreTraining(c);
    c.ignore("expand", "mamba_expand");
    c.ignore("mtp_hybrid_override_pattern", "mtp_layers_block_type", "num_nextn_predict_layers");
    c.ignore("partial_rotary_factor", "rope_parameters", "rope_scaling", "rope_theta");
    List<NemotronLayers> kinds = NemotronLayers.read(c);
    Decoder d = decoder(c);
    NormSpec norm = NormSpec.rms(Decoder.epsilon(c, epsilonKey(c), 1e-5));
    Part mamba = mamba(c, norm);
    Part attention = d.biased(d.attention());
    String activation = Activations.of(c, "mlp_hidden_act", "relu2");
    Part mlp = Decoder.mlp(c.positive("intermediate_size"), activation, c.flag("mlp_bias", false));
    Part moe = kinds.contains(NemotronLayers.EXPERTS) ? moe(c, activation) : null;
    ignoreExperts(c);
    return d.architecture(
        "nemotron-h",
        i ->
            Layer.of(
                switch (kinds.get(i)) {
                  case MAMBA -> Branch.mixer(mamba, norm);
                  case ATTENTION -> Branch.mixer(attention, norm);
                  case MLP -> Branch.channel(mlp, norm);
                  case EXPERTS -> Branch.channel(moe, norm);
                }),
        norm);
  }

  static Decoder decoder(Config c) {
    int heads = c.positive("num_attention_heads");
    return new Decoder(
        c,
        c.positive("hidden_size"),
        NemotronLayers.read(c).size(),
        heads,
        c.positive("num_key_value_heads", heads),
        c.positive("max_position_embeddings", 4096));
  }

  /** Three names for one number are in use, often two at a time. */
  private static String epsilonKey(Config c) {
    Decoder.spelled(c, "layer_norm_epsilon", "rms_norm_eps");
    String key = Decoder.spelled(c, "layer_norm_epsilon", "norm_eps");
    c.ignore("layer_norm_epsilon", "norm_eps", "rms_norm_eps");
    return c.has(key) ? key : "rms_norm_eps";
  }

  /**
   * Steps have a least. The reference takes for it the least that training began with, which the
   * authors' code, by which models are computed whose configs name it, never did.
   */
  private static Part mamba(Config c, NormSpec norm) {
    Decoder.only(c, "mamba_proj_bias", false);
    boolean biased = c.flag("use_bias", false);
    boolean convBiased = c.flag(Decoder.spelled(c, "use_conv_bias", "mamba_conv_bias"), true);
    double leastStep = c.has("auto_map") ? 0 : c.number("time_step_min", 0.001);
    String activation = Activations.of(c, "mamba_hidden_act", "silu");
    Part part = shape(c).part(activation, biased, biased, convBiased);
    return Mamba2Settings.normed(
        Mamba2Settings.limited(part, c, "time_step_limit", leastStep), norm, "group", true);
  }

  static Mamba2Settings shape(Config c) {
    return new Mamba2Settings(
        c.positive("mamba_num_heads", 128),
        c.positive("mamba_head_dim", 64),
        c.positive(Decoder.spelled(c, "n_groups", "mamba_n_groups"), 8),
        c.positive("ssm_state_size", 128),
        c.positive(Decoder.spelled(c, "conv_kernel", "mamba_d_conv"), 4));
  }

  private static Part moe(Config c, String activation) {
    Decoder.only(c, "mlp_bias", false);
    Part part =
        Part.of("moe")
            .with("experts", c.positive("n_routed_experts"))
            .with("top", c.positive("num_experts_per_tok"))
            .with("inner", c.positive("moe_intermediate_size"))
            .with("activation", activation)
            .with("gated", false)
            .with("sharedInner", c.positive("moe_shared_expert_intermediate_size"));
    Part latent =
        c.has("moe_latent_size") ? part.with("latent", c.positive("moe_latent_size")) : part;
    return Experts.corrected(latent, c, "n_group", "norm_topk_prob");
  }

  /** Newer configs have these settings whether or not there are experts. */
  private static void ignoreExperts(Config c) {
    c.ignore("moe_intermediate_size", "moe_latent_size", "moe_shared_expert_intermediate_size");
    c.ignore("moe_shared_expert_overlap", "n_group", "n_routed_experts", "n_shared_experts");
    c.ignore("norm_topk_prob", "num_experts_per_tok", "routed_scaling_factor", "topk_group");
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufNemotronH());
  }

  @Override
  public WeightNames weights(Config c) {
    String layer = "backbone.layers.{i}.";
    String mixer = layer + "mixer.";
    WeightNames names =
        MambaParts.backbone("embeddings", layer)
            .row("channel.norm", layer + "norm.weight")
            .row("moe.router", mixer + "gate.weight")
            .row("moe.router.correction", mixer + "gate.e_score_correction_bias")
            .row("moe.latent.in", mixer + "fc1_latent_proj.weight")
            .row("moe.latent.out", mixer + "fc2_latent_proj.weight")
            .prefix("backbone.", "model.")
            .ignore("mtp\\..*");
    for (String part : new String[] {"q", "k", "v", "o"}) {
      names.row("attention." + part, mixer + part + "_proj.weight");
    }
    if (c.has("moe_intermediate_size")) {
      int inner = c.positive("moe_intermediate_size");
      String width = c.has("moe_latent_size") ? "moe_latent_size" : "hidden_size";
      fused(names, "up", mixer, inner);
      fused(names, "down", mixer, c.positive(width));
    }
    for (String part : new String[] {"up", "down"}) {
      String tensor = part + "_proj.weight";
      names
          .row("mlp." + part, mixer + tensor)
          .row("moe.expert." + part, mixer + "experts.{e}." + tensor)
          .row("moe.shared." + part, mixer + "shared_experts." + tensor);
    }
    return shape(c).names(names, mixer);
  }

  private static void fused(WeightNames names, String part, String mixer, int rows) {
    String all = mixer + "experts." + part + "_proj";
    names.row("moe.expert." + part, WeightNames.from(all).ofExpert(rows, 0, rows));
  }
}
