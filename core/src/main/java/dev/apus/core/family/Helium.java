package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Helium: Llama with heads turned in neighbouring pairs. */
final class Helium implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("HeliumForCausalLM", "helium");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-8);
    Part attention =
        RopeSettings.read(c, 100_000, 1, d.headDim, d.context)
            .interleaved()
            .on(d.attention())
            .with("biased", c.flag("attention_bias", false));
    Part mlp = d.gatedMlp();
    return d.architecture("helium", i -> Decoder.preNorm(norm, attention, mlp), norm);
  }

  @Override
  public WeightNames weights(Config c) {
    return Names.llama();
  }
}
