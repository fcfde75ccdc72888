package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * GLM: Llama with half of each head turned in neighbouring pairs, and gate and up in one matrix.
 */
final class Glm implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("GlmForCausalLM", "glm");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = norm(d);
    Part attention = attention(d);
    Part mlp = mlp(d);
    return d.architecture("glm", i -> Decoder.preNorm(norm, attention, mlp), norm);
  }

  static NormSpec norm(Decoder d) {
    return d.rms(1.5625e-7);
  }

  static Part attention(Decoder d) {
    return RopeSettings.read(d.c, 10_000, 0.5, d.headDim, d.context)
        .interleaved()
        .on(d.attention())
        .with("biased", d.c.flag("attention_bias", true));
  }

  static Part mlp(Decoder d) {
    Decoder.only(d.c, "mlp_bias", false);
    return d.gatedMlp();
  }

  @Override
  public WeightNames weights(Config c) {
    return fused(Names.llama(), c);
  }

  static WeightNames fused(WeightNames names, Config c) {
    return Names.fusedGate(
        names,
        "gated-mlp.",
        Names.LAYER + "mlp.gate_up_proj.weight",
        c.positive("intermediate_size"));
  }
}
