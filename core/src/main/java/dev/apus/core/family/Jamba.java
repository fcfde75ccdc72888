package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Jamba: mostly Mamba layers whose state-space parameters are normalised, now and then one of
 * attention without positions, and experts in every other layer.
 */
final class Jamba implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("JambaForCausalLM", "jamba");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = shape(c);
    NormSpec norm = d.rms();
    Part mamba = MambaParts.hybrid(c, d.width).with("norm", norm.toMap());
    Part dense = d.gatedMlp();
    int experts = c.positive("num_experts", 16);
    Part moe =
        Part.of("moe")
            .with("experts", experts)
            .with("top", c.positive("num_experts_per_tok", 2))
            .with("normalized", false)
            .with("inner", c.positive("intermediate_size"))
            .with("activation", Activations.of(c));
    boolean[] attends = everyFew(c, d, "attn_layer", 8, 4);
    boolean[] chooses = everyFew(c, d, "expert_layer", 2, 1);
    Decoder.only(c, "mamba_inner_layernorms", true);
    c.ignore("use_associative_scan", "use_mamba_kernels", "use_mambapy");
    c.ignore("calc_logits_for_entire_prompt", "num_logits_to_keep");
    return d.architecture(
        "jamba",
        i ->
            Decoder.preNorm(
                norm, attends[i] ? d.attention() : mamba, chooses[i] && experts > 1 ? moe : dense),
        norm);
  }

  private static Decoder shape(Config c) {
    String context = Decoder.spelled(c, "max_position_embeddings", "n_ctx");
    return new Decoder(
        c,
        c.positive("hidden_size"),
        c.positive("num_hidden_layers"),
        c.positive("num_attention_heads"),
        c.positive("num_key_value_heads", c.positive("num_attention_heads")),
        c.positive(context, 262_144));
  }

  /** Which layers are of a kind that comes once in a period, from an offset on. */
  private static boolean[] everyFew(Config c, Decoder d, String kind, int period, int offset) {
    int every = c.positive(kind + "_period", period);
    int from = c.count(kind + "_offset", offset);
    if (from >= every) {
      throw c.errorAt(
          kind + "_offset", "%s_offset=%d must be below %s_period=%d", kind, from, kind, every);
    }
    boolean[] layers = new boolean[d.layers];
    for (int i = from; i < layers.length; i += every) {
      layers[i] = true;
    }
    return layers;
  }

  /** The first checkpoints have other names for norms and experts, and call a dense block one. */
  @Override
  public WeightNames weights(Config c) {
    WeightNames names = Names.withoutNorms().row("norm", "model.final_layernorm.weight");
    Part mamba = MambaParts.hybrid(c, c.positive("hidden_size"));
    MambaParts.names(names, Names.LAYER + "mamba.", mamba);
    norms(names, mamba, "pre_moe_layernorm", "B_layernorm", "C_layernorm");
    norms(names, mamba, "pre_ff_layernorm", "b_layernorm", "c_layernorm");
    String later = Names.LAYER + "feed_forward.";
    Experts.fused(names, later, c.positive("hidden_size"), c.positive("intermediate_size"));
    for (String block : new String[] {"moe.", "feed_forward."}) {
      Names.gatedMlp(names, "moe.expert.", Names.LAYER + block + "experts.{e}.");
      names.row("moe.router", Names.LAYER + block + "router.weight");
    }
    Names.gatedMlp(names, "gated-mlp.", Names.LAYER + "moe.experts.0.");
    return Names.gatedMlp(names, "gated-mlp.", Names.LAYER + "feed_forward.");
  }

  private static void norms(WeightNames names, Part mamba, String channel, String b, String c) {
    String theirs = Names.LAYER + "mamba.";
    names
        .row("mixer.norm", Names.LAYER + "input_layernorm.weight")
        .row("channel.norm", Names.LAYER + channel + ".weight")
        .row("mamba.dt.norm", theirs + "dt_layernorm.weight")
        .row(
            "mamba.bc.norm",
            MambaParts.both(mamba, theirs + b + ".weight", theirs + c + ".weight"));
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufJamba());
  }
}
