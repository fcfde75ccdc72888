package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Llama: pre-norm, grouped attention with rotary positions, and a gated MLP. */
final class Llama implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("LlamaForCausalLM", "llama");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    Part attention = d.rope(d.biased(d.attention()));
    Part mlp = d.gatedMlp();
    return d.architecture("llama", i -> Decoder.preNorm(norm, attention, mlp), norm);
  }

  @Override
  public WeightNames weights(Config c) {
    return Names.llama();
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufLlama());
  }
}
