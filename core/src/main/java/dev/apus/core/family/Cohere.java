package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;
import java.util.function.IntFunction;

/** Command R: attention and gated MLP side by side behind one norm, and scaled logits. */
final class Cohere implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("CohereForCausalLM", "cohere");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    Part turned =
        RopeSettings.read(c, 500_000, 1, d.headDim, d.context)
            .interleaved()
            .on(d.biased(d.attention()));
    Part attention =
        c.flag("use_qk_norm", false) ? Decoder.normed(turned, norm(c), "each-head", false) : turned;
    return architecture("cohere", d, i -> attention);
  }

  /** The document of a model whose layers differ in their attention only. */
  static Architecture architecture(String family, Decoder d, IntFunction<Part> attention) {
    Config c = d.c;
    NormSpec norm = norm(c);
    Decoder.only(c, "mlp_bias", false);
    Part mlp = d.gatedMlp();
    c.ignore("model_max_length", "cache_implementation");
    return d.architecture(
        family,
        Embedding.PLAIN,
        i -> Decoder.parallel(norm, attention.apply(i), mlp),
        norm,
        new Head(c.flag("tie_word_embeddings", true), false, c.real("logit_scale", 0.0625f), 0));
  }

  private static NormSpec norm(Config c) {
    return Decoder.layerNorm(c, "layer_norm_eps", false);
  }

  @Override
  public WeightNames weights(Config c) {
    return Names.outer()
        .row("mixer.norm", Names.LAYER + "input_layernorm.weight")
        .row("channel.norm", Names.LAYER + "input_layernorm.weight");
  }
}
