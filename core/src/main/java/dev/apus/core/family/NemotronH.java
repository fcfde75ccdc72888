package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.ArrayList;
import java.util.List;

/**
 * Nemotron-H and Nemotron 3: layers of one part each, which is Mamba-2, attention without
 * positions, a squared-ReLU block, or experts of such blocks.
 */
final class NemotronH implements ModelFamily {

  private static final String LAYERS = "layers_block_type";
  private static final String PATTERN = "hybrid_override_pattern";

  /** The settings of experts, which newer configs hold whether or not there are any. */
  private static final String[] EXPERTS = {
    "moe_intermediate_size",
    "moe_latent_size",
    "moe_shared_expert_intermediate_size",
    "n_group",
    "n_routed_experts",
    "n_shared_experts",
    "norm_topk_prob",
    "num_experts_per_tok",
    "routed_scaling_factor",
    "topk_group"
  };

  @Override
  public List<String> names() {
    return List.of("NemotronHForCausalLM", "nemotron_h");
  }

  @Override
  public Architecture describe(Config c) {
    c.ignore(
        "chunk_size",
        "expand",
        "mamba_chunk_size",
        "mamba_expand",
        "mamba_ssm_cache_dtype",
        "moe_shared_expert_overlap",
        "mtp_hybrid_override_pattern",
        "mtp_layers_block_type",
        "num_logits_to_keep",
        "num_nextn_predict_layers",
        "rescale_prenorm_residual",
        "residual_in_fp32",
        "time_step_floor",
        "time_step_max",
        "use_mamba_kernels");
    List<String> types = layers(c);
    int heads = c.positive("num_attention_heads");
    Decoder d =
        new Decoder(
            c,
            c.positive("hidden_size"),
            types.size(),
            heads,
            c.positive("num_key_value_heads", heads),
            c.positive("max_position_embeddings", 4096));
    NormSpec norm =
        NormSpec.rms(
            Decoder.epsilon(c, Decoder.spelled(c, "layer_norm_epsilon", "rms_norm_eps"), 1e-5));
    Part attention = d.biased(d.attention());
    Part mamba = mamba(c, norm);
    String activation = Activations.of(c, "mlp_hidden_act", "relu2");
    Part mlp = Decoder.mlp(c.positive("intermediate_size"), activation, c.flag("mlp_bias", false));
    Part moe = types.contains("moe") ? moe(c, activation) : null;
    c.ignore(EXPERTS);
    return d.architecture(
        "nemotron-h",
        i ->
            Layer.of(
                switch (types.get(i)) {
                  case "linear_attention" -> Branch.mixer(mamba, norm);
                  case "full_attention" -> Branch.mixer(attention, norm);
                  case "moe" -> Branch.channel(moe, norm);
                  default -> Branch.channel(mlp, norm);
                }),
        norm);
  }

  /** The kind of each layer, under the names that the newer of two spellings has. */
  private static List<String> layers(Config c) {
    String key = c.has(PATTERN) && !c.has(LAYERS) ? PATTERN : LAYERS;
    List<String> found = key.equals(PATTERN) ? List.of(c.word(PATTERN).split("")) : c.words(LAYERS);
    c.ignore(PATTERN);
    List<String> types = new ArrayList<>();
    for (String kind : found) {
      types.add(
          switch (kind) {
            case "M", "mamba", "linear_attention" -> "linear_attention";
            case "*", "attention", "full_attention" -> "full_attention";
            case "-", "mlp" -> "mlp";
            case "E", "moe" -> "moe";
            default ->
                throw c.errorAt(
                    key,
                    "%s holds \"%s\"; supported: linear_attention, full_attention, mlp, moe, or M,"
                        + " *, -, E",
                    key,
                    kind);
          });
    }
    if (c.positive("num_hidden_layers", types.size()) != types.size()) {
      throw c.errorAt(
          key,
          "%s names %d layers, num_hidden_layers=%d",
          key,
          types.size(),
          c.positive("num_hidden_layers"));
    }
    return types;
  }

  /**
   * The least step. The reference takes the least that training began with for a limit, which the
   * authors' code never did: it is what computes the models whose configs name it.
   */
  private static double leastStep(Config c) {
    double least = c.number("time_step_min", 0.001);
    return c.has("auto_map") ? 0 : least;
  }

  private static Part mamba(Config c, NormSpec norm) {
    Decoder.only(c, "mamba_proj_bias", false);
    boolean biased = c.flag("use_bias", false);
    Part part =
        shape(c)
            .part()
            .with("activation", Activations.of(c, "mamba_hidden_act", "silu"))
            .with("biased", biased)
            .with("outBiased", biased)
            .with(
                "convBiased", c.flag(Decoder.spelled(c, "use_conv_bias", "mamba_conv_bias"), true));
    return Mamba2Settings.normed(
        Mamba2Settings.limited(part, c, leastStep(c)), norm, "group", true);
  }

  private static Mamba2Settings shape(Config c) {
    return new Mamba2Settings(
        c.positive("mamba_num_heads", 128),
        c.positive("mamba_head_dim", 64),
        c.positive(Decoder.spelled(c, "n_groups", "mamba_n_groups"), 8),
        c.positive("ssm_state_size", 128),
        c.positive(Decoder.spelled(c, "conv_kernel", "mamba_d_conv"), 4));
  }

  private static Part moe(Config c, String activation) {
    Part part =
        Part.of("moe")
            .with("experts", c.positive("n_routed_experts"))
            .with("top", c.positive("num_experts_per_tok"))
            .with("inner", c.positive("moe_intermediate_size"))
            .with("activation", activation)
            .with("gated", false)
            .with("sharedInner", c.positive("moe_shared_expert_intermediate_size"));
    if (c.flag("mlp_bias", false)) {
      throw c.errorAt("mlp_bias", "mlp_bias=true is not supported for experts");
    }
    Part latent =
        c.has("moe_latent_size") ? part.with("latent", c.positive("moe_latent_size")) : part;
    return Experts.corrected(latent, c, "n_group", "norm_topk_prob");
  }

  @Override
  public WeightNames weights(Config c) {
    String layer = "backbone.layers.{i}.";
    String mixer = layer + "mixer.";
    WeightNames names =
        new WeightNames()
            .row("embedding", "backbone.embeddings.weight")
            .row("mixer.norm", layer + "norm.weight")
            .row("channel.norm", layer + "norm.weight")
            .row("norm", "backbone.norm_f.weight")
            .row("head", "lm_head.weight")
            .row("moe.router", mixer + "gate.weight")
            .row("moe.router.correction", mixer + "gate.e_score_correction_bias")
            .prefix("backbone.", "model.")
            .ignore("mtp\\..*");
    for (String part : new String[] {"q", "k", "v", "o"}) {
      names.row("attention." + part, mixer + part + "_proj.weight");
    }
    for (String part : new String[] {"up", "down"}) {
      String tensor = part + "_proj.weight";
      names
          .row("mlp." + part, mixer + tensor)
          .row("moe.expert." + part, mixer + "experts.{e}." + tensor)
          .row("moe.shared." + part, mixer + "shared_experts." + tensor);
    }
    names
        .row("moe.latent.in", mixer + "fc1_latent_proj.weight")
        .row("moe.latent.out", mixer + "fc2_latent_proj.weight");
    return shape(c).names(names, mixer);
  }
}
