package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * GLM-4.5: half of each head turned, and the experts of DeepSeek-V3 in all but the first layers.
 */
final class Glm4Moe implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("Glm4MoeForCausalLM", "glm4_moe");
  }

  @Override
  public Architecture describe(Config c) {
    Experts.further(c);
    Decoder d = new Decoder(c, 131_072);
    NormSpec norm = d.rms(1e-5);
    Part plain = d.attention().with("biased", c.flag("attention_bias", false));
    Part normed = c.flag("use_qk_norm", false) ? Decoder.normed(plain, norm, "head", false) : plain;
    Part attention = RopeSettings.read(c, 10_000, 0.5, d.headDim, d.context).on(normed);
    List<Boolean> sparse = Experts.sparse(d, 1);
    Part dense = d.gatedMlp();
    Part experts = Experts.corrected(Experts.routed(c), c, true);
    return d.architecture(
        "glm4_moe", i -> Decoder.preNorm(norm, attention, sparse.get(i) ? experts : dense), norm);
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c);
    return Experts.withoutFurther(Experts.routed(Names.llama(), d), d);
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(GgufRouted.glm4());
  }
}
