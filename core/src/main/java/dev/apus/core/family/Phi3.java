package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Phi-3, Phi-3.5 and Phi-4: Llama with fused matrices, and LongRoPE in the long models. */
final class Phi3 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("Phi3ForCausalLM", "phi3");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-5);
    for (String flag : List.of("attention_bias", "mlp_bias", "lm_head_bias")) {
      Decoder.only(c, flag, false);
    }
    for (String factor : List.of("full_attn_mod", "interpolate_factor")) {
      if (c.positive(factor, 1) != 1) {
        throw c.errorAt(factor, "%s=%d is not supported; supported: 1", factor, c.positive(factor));
      }
    }
    for (String rope : List.of("rope_parameters", "rope_scaling")) {
      if (c.hasSection(rope)) {
        Config section = c.section(rope);
        String type = section.has("rope_type") ? "rope_type" : "type";
        section.choice(type, "default", "default", "longrope", "su");
      }
    }
    // It says where LongRoPE begins to stretch; without LongRoPE it says nothing.
    c.ignore("original_max_position_embeddings");
    Part attention = d.rope(d.attention()).with("window", c.count("sliding_window", 0));
    Part mlp = d.gatedMlp();
    return d.architecture("phi3", i -> Decoder.preNorm(norm, attention, mlp), norm);
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c);
    WeightNames names =
        Names.fusedQkv(
            Names.llama(),
            Names.LAYER + "self_attn.qkv_proj.weight",
            d.heads * d.headDim,
            d.kvHeads * d.headDim);
    return Names.fusedGate(
        names,
        "gated-mlp.",
        Names.LAYER + "mlp.gate_up_proj.weight",
        c.positive("intermediate_size"));
  }
}
