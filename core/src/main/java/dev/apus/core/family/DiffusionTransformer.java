package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Diffusion;
import dev.apus.core.model.LevelSpec;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.Collections;

/**
 * The network that SEDD, MDLM and BD3-LM share: rotary attention and a plain block, each told the
 * level of the noise, whose names it gives them too.
 *
 * @see <a href="https://arxiv.org/abs/2212.09748">Scalable Diffusion Models with Transformers</a>
 */
final class DiffusionTransformer {

  private static final int FREQUENCIES = 256;

  private DiffusionTransformer() {}

  /**
   * The network of a config.
   *
   * @param c where the shape stands
   * @param widthKey the key of its width
   * @param contextKey the key of the longest text
   */
  static Architecture describe(
      Config c,
      String family,
      String widthKey,
      String contextKey,
      int vocabulary,
      Diffusion diffusion) {
    Decoder d =
        new Decoder(
            c,
            c.positive(widthKey),
            c.positive("n_blocks"),
            c.positive("n_heads"),
            c.positive(contextKey));
    NormSpec norm = NormSpec.layer(1e-5, false);
    Part attention = RopeSettings.of(c, null, 10_000, d.headDim, d.context).on(d.attention());
    Layer layer = Decoder.preNorm(norm, attention, Decoder.mlp(4 * d.width, "gelu-tanh", true));
    // Of training.
    c.ignore("dropout");
    return new Architecture(
            family,
            vocabulary,
            d.width,
            d.context,
            Embedding.PLAIN,
            Collections.nCopies(d.layers, layer),
            norm,
            new Head(false, true, 1, 0))
        .denoising(diffusion);
  }

  /** How it is told the level of the noise. */
  static LevelSpec modulation(Config c, boolean told) {
    return new LevelSpec(c.positive("cond_dim"), FREQUENCIES, told);
  }

  /** What its files call the weights, after a prefix. */
  static WeightNames names(String prefix, int width) {
    String block = prefix + "blocks.{i}.";
    Source modulation = WeightNames.from(block + "adaLN_modulation.weight");
    WeightNames names =
        new WeightNames()
            .row("embedding", prefix + "vocab_embed.embedding")
            .row("level.up", prefix + "sigma_map.mlp.0.weight")
            .row("level.down", prefix + "sigma_map.mlp.2.weight")
            .row("norm", prefix + "output_layer.norm_final.weight")
            .row("norm.modulation", prefix + "output_layer.adaLN_modulation.weight")
            .row("head", prefix + "output_layer.linear.weight")
            .row("mixer.norm", block + "norm1.weight")
            .row("channel.norm", block + "norm2.weight")
            .row("mixer.modulation", modulation.as(Conversion.rows(0, 3 * width)))
            .row("channel.modulation", modulation.as(Conversion.rows(3 * width, 3 * width)))
            .row("attention.o", block + "attn_out.weight")
            .ignore(".*rotary_emb\\.inv_freq");
    Names.fusedQkv(names, block + "attn_qkv.weight", width, width);
    return Names.mlp(names, block + "mlp.0.weight", block + "mlp.2.weight");
  }
}
