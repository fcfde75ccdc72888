package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Diffusion;
import dev.apus.core.model.Diffusion.Output;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * MDLM, whose tokens see the whole text, and BD3-LM, whose tokens see their block and the blocks
 * before it. The mask is the last token of the vocabulary, and never what the model gives.
 *
 * @see <a href="https://arxiv.org/abs/2406.07524">Simple and Effective Masked Diffusion</a>
 * @see <a href="https://arxiv.org/abs/2503.09573">Block Diffusion</a>
 */
final class Mdlm implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("MDLM", "mdlm", "BD3LM", "bd3lm");
  }

  @Override
  public Architecture describe(Config c) {
    String type = c.choice("model_type", "mdlm", "mdlm", "bd3lm");
    int vocabulary = c.positive("vocab_size");
    boolean told = c.flag("time_conditioning", false);
    Diffusion diffusion = Diffusion.masked(vocabulary - 1).giving(Output.UNMASKED);
    boolean blocks = type.equals("bd3lm");
    if (blocks) {
      Decoder.only(c, "causal", false);
      // How attention is computed, and which levels its training drew.
      c.ignore("attn_backend", "var_min", "sampling_eps_min", "sampling_eps_max");
      int block = c.positive("block_size", 1);
      diffusion = c.flag("cross_attn", true) ? diffusion.inBlocks(block) : diffusion;
    }
    if (!blocks || c.flag("adaln", true)) {
      diffusion = diffusion.modulated(DiffusionTransformer.modulation(c, told));
    } else {
      c.ignore("cond_dim");
    }
    return DiffusionTransformer.describe(
        c, type, "hidden_dim", "model_length", vocabulary, diffusion);
  }

  @Override
  public WeightNames weights(Config c) {
    return DiffusionTransformer.names("backbone.", c.positive("hidden_dim"))
        .ignore("sampling_eps_(min|max)");
  }
}
