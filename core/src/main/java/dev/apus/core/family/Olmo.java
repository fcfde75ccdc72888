package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * OLMo 2 and 3: what a part gives is normalised, not what it reads, and queries and keys are
 * normalised over all heads. OLMo 3 adds windows, in three layers of four.
 */
final class Olmo implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("Olmo2ForCausalLM", "olmo2", "Olmo3ForCausalLM", "olmo3");
  }

  @Override
  public Architecture describe(Config c) {
    boolean third = c.choice("model_type", "olmo2", "olmo2", "olmo3").equals("olmo3");
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-5);
    Part attention = Decoder.normed(d.biased(d.attention()), norm, "row", false);
    List<String> types =
        d.layerTypes(i -> third && (i + 1) % 4 != 0 ? "sliding_attention" : "full_attention");
    RopeSettings global =
        third ? RopeSettings.global(d, 10_000) : RopeSettings.read(c, d.headDim, d.context);
    RopeSettings local = third ? RopeSettings.local(d, "rope_theta") : global;
    int window = c.count("sliding_window", 4096);
    Part mlp = d.gatedMlp();
    return d.architecture(
        third ? "olmo3" : "olmo2",
        i -> {
          Part turned = (d.slides(types.get(i)) ? local : global).on(attention);
          return Decoder.postNorm(norm, d.windowed(turned, types.get(i), window), mlp);
        },
        norm);
  }

  @Override
  public WeightNames weights(Config c) {
    return Names.outer()
        .row("mixer.after", Names.LAYER + "post_attention_layernorm.weight")
        .row("channel.after", Names.LAYER + "post_feedforward_layernorm.weight");
  }
}
