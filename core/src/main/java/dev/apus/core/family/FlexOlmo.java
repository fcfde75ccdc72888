package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** FlexOlmo: OLMoE's experts in layers that normalise what a part gives, as OLMo 2's do. */
final class FlexOlmo implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("FlexOlmoForCausalLM", "flex_olmo");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c, 4096);
    NormSpec norm = d.rms();
    Part plain = Decoder.normed(d.biased(d.attention()), norm, "row", false);
    Part attention = RopeSettings.read(c, 500_000, 1, d.headDim, d.context).on(plain);
    Part moe = Olmoe.experts(c, 7, 5);
    return d.architecture("flex_olmo", i -> Decoder.postNorm(norm, attention, moe), norm);
  }

  @Override
  public WeightNames weights(Config c) {
    int inner = c.positive("intermediate_size");
    return Experts.names(Experts.fused(Names.outer(), c.positive("hidden_size"), inner))
        .row("mixer.after", Names.LAYER + "post_attention_layernorm.weight")
        .row("channel.after", Names.LAYER + "post_feedforward_layernorm.weight");
  }
}
