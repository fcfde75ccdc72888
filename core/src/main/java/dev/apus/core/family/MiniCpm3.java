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
 * MiniCPM 3: multi-head latent attention, with constant factors on the embedding, the residuals and
 * the logits.
 */
final class MiniCpm3 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("MiniCPM3ForCausalLM", "minicpm3");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-5);
    float residual = (float) (c.number("scale_depth", 1.4) / Math.sqrt(d.layers));
    LatentSettings latent = LatentSettings.read(d);
    Part attention = latent.rope().on(latent.scaled(latent.attention()));
    Layer layer =
        Layer.of(
            Branch.mixer(attention, norm).scaled(residual),
            Branch.channel(d.gatedMlp(), norm).scaled(residual));
    float logits = (float) c.positive("dim_model_base", 256) / d.width;
    return d.architecture(
        "minicpm3",
        new Embedding(c.real("scale_emb", 12), 0, null),
        i -> layer,
        norm,
        new Head(c.flag("tie_word_embeddings", true), false, logits, 0));
  }

  @Override
  public WeightNames weights(Config c) {
    return LatentSettings.read(new Decoder(c)).names(Names.llama());
  }
}
