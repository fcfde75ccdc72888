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
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-5);
    Part plain = Decoder.normed(d.biased(d.attention()), norm, "row", false);
    Part attention = d.rope(Decoder.clipped(plain, c));
    Part moe = experts(c, 64, 8);
    return d.architecture("olmoe", i -> Decoder.preNorm(norm, attention, moe), norm);
  }

  /**
   * The experts.
   *
   * @param count how many there are, if the config does not say
   * @param top how many of them are chosen, likewise
   */
  static Part experts(Config c, int count, int top) {
    return Part.of("moe")
        .with("experts", c.positive("num_experts", count))
        .with("top", c.positive("num_experts_per_tok", top))
        .with("normalized", c.flag("norm_topk_prob", false))
        .with("inner", c.positive("intermediate_size"))
        .with("activation", Activations.of(c));
  }

  @Override
  public WeightNames weights(Config c) {
    int inner = c.positive("intermediate_size");
    return Experts.names(Experts.fused(Names.llama(), c.positive("hidden_size"), inner));
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufOlmoe());
  }
}
