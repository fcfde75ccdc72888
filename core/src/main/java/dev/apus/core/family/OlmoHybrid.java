package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * OLMo Hybrid: three Gated DeltaNet layers, whose memory may have negative eigenvalues, to one of
 * attention. DeltaNet layers are normalised before their parts, attention layers after them.
 */
final class OlmoHybrid implements ModelFamily {

  /** What the reference's gated norm uses, whatever the config's epsilon. */
  private static final double GATED_NORM_EPSILON = 1e-5;

  @Override
  public List<String> names() {
    return List.of("OlmoHybridForCausalLM", "olmo_hybrid");
  }

  @Override
  public Architecture describe(Config c) {
    c.ignore(
        "linear_a_log_max",
        "linear_a_log_min",
        "linear_dt_init_floor",
        "linear_dt_max",
        "linear_dt_min");
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    List<String> types = d.layerTypes(i -> i % 4 == 3 ? "full_attention" : "linear_attention");
    Part plain = Decoder.normed(d.biased(d.attention()), norm, "row", false);
    boolean positions = c.hasSection("rope_parameters") || c.has("rope_theta");
    Part attention = positions ? d.rope(plain) : plain;
    Part delta =
        DeltaSettings.read(c, d)
            .with("betaScale", c.flag("linear_allow_neg_eigval", true) ? 2 : 1)
            .with("epsilon", GATED_NORM_EPSILON);
    Part mlp = d.gatedMlp();
    return d.architecture(
        "olmo-hybrid",
        i ->
            DeltaSettings.isLinear(d, types.get(i))
                ? Decoder.preNorm(norm, delta, mlp)
                : Decoder.postNorm(norm, attention, mlp),
        norm);
  }

  /** Two spellings of the norms' names are in use, and share one name for different norms. */
  @Override
  public WeightNames weights(Config c) {
    String layer = Names.LAYER + "linear_attn.";
    WeightNames names =
        Names.outer()
            .row("mixer.norm", Names.LAYER + "input_layernorm.weight")
            .row("mixer.norm", Names.LAYER + "attention_layer_norm.weight")
            .row("channel.norm", Names.LAYER + "post_attention_layernorm.weight")
            .row("channel.norm", Names.LAYER + "feedforward_layer_norm.weight")
            .row("mixer.after", Names.LAYER + "feedforward_layer_norm.weight")
            .row("mixer.after", Names.LAYER + "post_attention_layernorm.weight")
            .row("channel.after", Names.LAYER + "post_feedforward_layernorm.weight");
    return DeltaSettings.apart(names, layer, DeltaSettings.read(c, new Decoder(c)))
        .row(DeltaSettings.OURS + "z", layer + "g_proj.weight")
        .row(DeltaSettings.OURS + "a", layer + "a_proj.weight");
  }
}
