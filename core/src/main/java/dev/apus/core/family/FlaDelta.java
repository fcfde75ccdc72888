package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Models of flash-linear-attention that write by the delta rule: DeltaNet, Gated DeltaNet, Gated
 * DeltaProduct, Kimi Delta Attention, and Comba.
 */
final class FlaDelta implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of(
        "DeltaNetForCausalLM",
        "delta_net",
        "GatedDeltaNetForCausalLM",
        "gated_deltanet",
        "KDAForCausalLM",
        "kda",
        "CombaForCausalLM",
        "comba",
        "GatedDeltaProductForCausalLM",
        "gated_deltaproduct");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    return d.architecture(c.word("model_type").replace('_', '-'), mixer(d));
  }

  private static Part mixer(FlaDecoder d) {
    Config c = d.c;
    Part delta =
        switch (c.word("model_type")) {
          case "delta_net" -> plain(d);
          case "gated_deltanet" -> gated(d);
          case "gated_deltaproduct" -> product(d);
          case "comba" -> comba(d);
          default -> kimi(d);
        };
    return delta
        .with("taps", d.taps(true))
        .with("betaScale", c.flag("allow_neg_eigval", false) ? 2 : 1)
        .with("epsilon", d.norm.epsilon());
  }

  /** Nothing is forgotten but what is overwritten. */
  private static Part plain(FlaDecoder d) {
    Config c = d.c;
    c.choice("qk_activation", "silu", "silu");
    c.choice("qk_norm", "l2", "l2");
    Decoder.only(c, "use_output_norm", true);
    int heads = c.positive("num_heads", 16);
    int keyDim = d.each("keys", d.expanded("expand_k", 1), heads);
    int valueDim = d.each("values", d.expanded("expand_v", 1), heads);
    return shape(heads, heads, keyDim, valueDim)
        .with("decay", "none")
        .with("beta", c.flag("use_beta", true))
        .with("gate", c.flag("use_gate", false) ? "silu" : "none");
  }

  private static Part gated(FlaDecoder d) {
    return ofHeads(d, 6, 256, 2).with("gate", d.c.flag("use_gate", true) ? "silu" : "none");
  }

  /** Several steps a token. */
  private static Part product(FlaDecoder d) {
    Config c = d.c;
    return ofHeads(d, 6, 256, 2)
        .with("steps", c.positive("num_householder", 1))
        .with("decay", c.flag("use_forget_gate", false) ? "head" : "none")
        .with("gate", c.flag("use_output_gate", true) ? "silu" : "none");
  }

  /** The reference has the inner decay and the correction whatever its config says. */
  private static Part comba(FlaDecoder d) {
    Config c = d.c;
    Decoder.only(c, "use_inner_decay", true);
    Decoder.only(c, "use_output_correction", true);
    c.ignore("correction_factor");
    return ofHeads(d, 6, 256, 2)
        .with("feedback", true)
        .with("gate", c.flag("use_output_gate", true) ? "sigmoid" : "none");
  }

  /** Decays and gates come out of as many values as a head has. */
  private static Part kimi(FlaDecoder d) {
    Config c = d.c;
    Part part = ofHeads(d, 16, 128, 1).with("decay", "key").with("gate", "sigmoid");
    int latent = (int) part.settings().get("valueDim");
    boolean bounded = c.has("lower_bound");
    if (c.flag("safe_gate", bounded) != bounded) {
      throw c.errorAt("safe_gate", "safe_gate=%s, lower_bound=%s", !bounded, c.raw("lower_bound"));
    }
    return part.with("decayLatent", latent)
        .with("decayBound", bounded ? c.number("lower_bound") : 0)
        .with("gateLatent", latent)
        .with("gateBiased", true);
  }

  private static Part ofHeads(FlaDecoder d, int heads, int keyDim, double expansion) {
    Config c = d.c;
    int keyHeads = c.positive("num_heads", heads);
    int dim = c.positive("head_dim", keyDim);
    return shape(
        keyHeads, c.positive("num_v_heads", keyHeads), dim, d.expanded("expand_v", expansion, dim));
  }

  private static Part shape(int keyHeads, int valueHeads, int keyDim, int valueDim) {
    return Part.of("gated-delta-net")
        .with("keyHeads", keyHeads)
        .with("valueHeads", valueHeads)
        .with("keyDim", keyDim)
        .with("valueDim", valueDim);
  }

  @Override
  public WeightNames weights(Config c) {
    String ours = DeltaSettings.OURS;
    String mixer = FlaNames.MIXER;
    WeightNames names = DeltaSettings.apart(FlaNames.outer(), mixer, mixer(new FlaDecoder(c)));
    if (c.word("model_type").equals("kda")) {
      FlaNames.lowRank(names, ours + "a", mixer + "f_proj.");
      return FlaNames.lowRank(names, ours + "z", mixer + "g_proj.");
    }
    return names
        .row(ours + "z", mixer + "g_proj.weight")
        .row(ours + "a", mixer + "a_proj.weight")
        .row(ours + "innerDecay", mixer + "decay")
        .row(ours + "correction", mixer + "D");
  }
}
