package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Diffusion;
import dev.apus.core.model.Visibility;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * DiffusionGemma: Gemma 4 as an encoder that reads text from left to right, and with the same
 * weights as a decoder of canvases behind it, whose tokens begin as any and know what was last made
 * of them. Encoder and decoder differ in the factors of their layers.
 */
final class DiffusionGemma implements ModelFamily {

  private static final String TEXT = "model.encoder.language_model.";
  private static final String CANVAS = "model.decoder.";

  @Override
  public List<String> names() {
    return List.of("DiffusionGemmaForBlockDiffusion", "diffusion_gemma");
  }

  @Override
  public Architecture describe(Config config) {
    Config c = TextConfig.of(config);
    config.ignore("boi_token_id", "eoi_token_id");
    // Images may be seen as a whole; text is read from left to right.
    c.choice("use_bidirectional_attention", "vision", "vision");
    boolean tied = c.flag("tie_word_embeddings", config.flag("tie_word_embeddings", true));
    Gemma4Layers layers = Gemma4Layers.ofDiffusion(c);
    Decoder d = layers.d();
    Architecture reader =
        d.architecture(
            "diffusion_gemma",
            new Embedding((float) Math.sqrt(d.width), 0, null),
            layers::layer,
            layers.norm(),
            new Head(tied, false, 1, c.real("final_logit_softcapping", 30)));
    Diffusion noise =
        Diffusion.uniform()
            .inBlocks(config.positive("canvas_length", 256))
            .conditioned(
                new Diffusion.Conditioning(
                    layers.mlp(false), layers.norm(), layers.norm().unweighted()));
    return layers.streams(reader).denoising(noise, Visibility.CAUSAL);
  }

  @Override
  public WeightNames weights(Config config) {
    String conditioning = CANVAS + "self_conditioning.";
    WeightNames names =
        Gemma4.names(Gemma4Layers.ofDiffusion(TextConfig.of(config)))
            .rename("model.", CANVAS)
            .row("channel.sum", TEXT + "layers.{i}.layer_scalar")
            .row("channel.sum.noisy", CANVAS + "layers.{i}.layer_scalar")
            .row("conditioning.norm", conditioning + "pre_norm.weight");
    return Names.gatedMlp(names, "conditioning.gated-mlp.", conditioning)
        .prefix(CANVAS, TEXT)
        .copies(TEXT, CANVAS)
        .ignore("model\\.encoder\\.(vision_tower|embed_vision)\\..*");
  }
}
