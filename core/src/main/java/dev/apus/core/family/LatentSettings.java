package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;

/** Multi-head latent attention under the names that most families give its settings and weights. */
record LatentSettings(
    Decoder d, int queryLatent, int latent, int ownDim, int sharedDim, int valueDim) {

  static final String OURS = "latent-attention.";

  /** The reference's epsilon, whatever the config has for other norms. */
  private static final NormSpec NORM = NormSpec.rms(1e-6);

  static LatentSettings read(Decoder d) {
    Config c = d.c;
    int own = c.positive("qk_nope_head_dim");
    int shared = c.count("qk_rope_head_dim", 0);
    if (d.kvHeads != d.heads) {
      throw c.errorAt(
          "num_key_value_heads",
          "num_key_value_heads=%d must be num_attention_heads=%d: all heads share one latent",
          d.kvHeads,
          d.heads);
    }
    if (c.positive("qk_head_dim", own + shared) != own + shared) {
      throw c.errorAt(
          "qk_head_dim",
          "qk_head_dim=%d must be qk_nope_head_dim=%d and qk_rope_head_dim=%d together",
          c.positive("qk_head_dim"),
          own,
          shared);
    }
    return new LatentSettings(
        d,
        c.has("q_lora_rank") ? c.positive("q_lora_rank") : 0,
        c.positive("kv_lora_rank"),
        own,
        shared,
        c.positive("v_head_dim", d.width / d.heads));
  }

  /** The mixer, without positions. */
  Part attention() {
    boolean biased = d.c.flag("attention_bias", false);
    Part part =
        Part.of("latent-attention")
            .with("heads", d.heads)
            .with("latent", latent)
            .with("ownDim", ownDim)
            .with("sharedDim", sharedDim)
            .with("valueDim", valueDim)
            .with("biased", biased)
            .with("outBiased", biased)
            .with("norm", NORM.toMap());
    return queryLatent == 0 ? part : part.with("queryLatent", queryLatent);
  }

  /** The rotary settings of what heads share; a stretched context also scales the scores. */
  RopeSettings rope() {
    return RopeSettings.read(d.c, sharedDim, d.context);
  }

  Part scaled(Part attention) {
    double m = RopeSettings.scoreMagnitude(d.c);
    return m == 1 ? attention : attention.with("scale", m * m / Math.sqrt(ownDim + sharedDim));
  }

  WeightNames names(WeightNames names) {
    return names(names, Names.LAYER + "self_attn.");
  }

  /** The same for a file that calls the layer's attention otherwise. */
  WeightNames names(WeightNames names, String layer) {
    Source down = WeightNames.from(layer + "kv_a_proj_with_mqa.weight");
    return up(names, WeightNames.from(layer + "kv_b_proj.weight"))
        .row(OURS + "q.latent", layer + "q_a_proj.weight")
        .row(OURS + "q.norm", layer + "q_a_layernorm.weight")
        .row(OURS + "q", layer + (queryLatent == 0 ? "q_proj.weight" : "q_b_proj.weight"))
        .row(OURS + "latent", down.as(Conversion.rows(0, latent)))
        .row(OURS + "latent.norm", layer + "kv_a_layernorm.weight")
        .row(OURS + "k.shared", down.as(Conversion.rows(latent, sharedDim)))
        .row(OURS + "o", layer + "o_proj.weight");
  }

  /** What makes keys and values of the latent, in one matrix: of each head keys, then values. */
  WeightNames up(WeightNames names, Source fused) {
    int stride = ownDim + valueDim;
    return names
        .row(
            OURS + "k",
            fused
                .as(Conversion.ofEachGroup(d.heads, stride, 0, ownDim))
                .as(Conversion.transposed(ownDim, latent)))
        .row(OURS + "v", fused.as(Conversion.ofEachGroup(d.heads, stride, ownDim, valueDim)));
  }
}
