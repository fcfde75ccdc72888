package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Mixtral: Mistral with eight experts in each layer, of which two are chosen. */
final class Mixtral implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("MixtralForCausalLM", "mixtral");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-5);
    int window = c.count("sliding_window", 0);
    Part full = d.rope(d.attention());
    Part attention = window > 0 ? full.with("window", window) : full;
    Part moe = Experts.local(c);
    return d.architecture("mixtral", i -> Decoder.preNorm(norm, attention, moe), norm);
  }

  @Override
  public WeightNames weights(Config c) {
    String moe = Names.LAYER + "block_sparse_moe.";
    int inner = c.positive("intermediate_size");
    return Experts.numbered(
        Names.llama(), moe, Names.LAYER + "mlp.", c.positive("hidden_size"), inner);
  }
}
