package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Mistral and Ministral: Llama with a sliding window, in all layers or in those that say so. */
final class Mistral implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("MistralForCausalLM", "mistral", "MinistralForCausalLM", "ministral");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    int window = c.count("sliding_window", 0);
    List<String> types = d.layerTypes(i -> window > 0 ? "sliding_attention" : "full_attention");
    Part attention = d.rope(d.attention());
    Part mlp = d.gatedMlp();
    return d.architecture(
        "mistral",
        i -> Decoder.preNorm(norm, d.windowed(attention, types.get(i), window), mlp),
        norm);
  }

  @Override
  public WeightNames weights(Config c) {
    return Names.llama();
  }
}
