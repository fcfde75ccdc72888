package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** StarCoder2: grouped attention within a window, layer norms, a plain MLP, all biased. */
final class Starcoder2 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("Starcoder2ForCausalLM", "starcoder2");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    c.choice("norm_type", "layer_norm", "layer_norm");
    c.choice("mlp_type", "default", "default");
    NormSpec norm = Decoder.layerNorm(c, "norm_epsilon", true);
    boolean biased = c.flag("use_bias", true);
    Part attention =
        d.rope(d.attention())
            .with("window", c.count("sliding_window", 0))
            .with("biased", biased)
            .with("outBiased", biased);
    Part mlp =
        Decoder.mlp(
            c.positive("intermediate_size"),
            Activations.of(c, "hidden_act", "gelu_pytorch_tanh"),
            biased);
    return d.architecture(
        "starcoder2",
        Embedding.PLAIN,
        i -> Decoder.preNorm(norm, attention, mlp),
        norm,
        Head.of(c.flag("tie_word_embeddings", true)));
  }

  @Override
  public WeightNames weights(Config c) {
    return Names.mlp(
        Names.llama(), Names.LAYER + "mlp.c_fc.weight", Names.LAYER + "mlp.c_proj.weight");
  }
}
