package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** GLM-4-0414: {@link Glm} with a norm after attention and MLP as well as before them. */
final class Glm4 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("Glm4ForCausalLM", "glm4");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = Glm.norm(d);
    Part attention = Glm.attention(d);
    Part mlp = Glm.mlp(d);
    return d.architecture("glm4", i -> Decoder.sandwich(norm, attention, mlp), norm);
  }

  @Override
  public WeightNames weights(Config c) {
    return Glm.fused(Names.llama(), c)
        .row("mixer.after", Names.LAYER + "post_self_attn_layernorm.weight")
        .row("channel.after", Names.LAYER + "post_mlp_layernorm.weight");
  }
}
