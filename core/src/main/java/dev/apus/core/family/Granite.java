package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Granite: Llama with constant factors on the embedding, the scores, the residuals and the logits.
 */
final class Granite implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("GraniteForCausalLM", "granite");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    float residual = c.real("residual_multiplier", 1);
    Part attention =
        d.rope(d.biased(d.attention()).with("scale", c.real("attention_multiplier", 1)));
    Layer layer =
        Layer.of(
            Branch.mixer(attention, norm).scaled(residual),
            Branch.channel(d.gatedMlp(), norm).scaled(residual));
    return d.architecture("granite", embedding(c), i -> layer, norm, head(c));
  }

  static Embedding embedding(Config c) {
    return new Embedding(c.real("embedding_multiplier", 1), 0, null);
  }

  static Head head(Config c) {
    return new Head(
        c.flag("tie_word_embeddings", false), false, 1 / c.real("logits_scaling", 1), 0);
  }

  @Override
  public WeightNames weights(Config c) {
    return Names.llama();
  }
}
