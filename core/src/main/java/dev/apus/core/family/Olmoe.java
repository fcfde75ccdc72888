package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** OLMoE: many small experts in each layer, and queries and keys normalised over all heads. */
final class Olmoe implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("OlmoeForCausalLM", "olmoe");
  }

  @Override
  public Architecture describe(Config c) {
    if (c.has("clip_qkv")) {
      throw c.errorAt(
          "clip_qkv",
          "clip_qkv=%s is not supported; published models have null",
          c.raw("clip_qkv"));
    }
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-5);
    Part attention = d.rope(Decoder.normed(d.biased(d.attention()), norm, "row", false));
    Part moe =
        Part.of("moe")
            .with("experts", c.positive("num_experts", 64))
            .with("top", c.positive("num_experts_per_tok", 8))
            .with("normalized", c.flag("norm_topk_prob", false))
            .with("inner", c.positive("intermediate_size"))
            .with("activation", Activations.of(c));
    return d.architecture("olmoe", i -> Decoder.preNorm(norm, attention, moe), norm);
  }

  @Override
  public WeightNames weights(Config c) {
    return Experts.names(Names.llama());
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufOlmoe());
  }
}
