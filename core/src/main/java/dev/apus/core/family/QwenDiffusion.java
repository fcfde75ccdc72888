package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Diffusion;
import dev.apus.core.weight.WeightNames;
import java.util.List;
import java.util.Locale;

/**
 * Diffusion models that were made of Qwen 2 and 3, whose weights and names they kept:
 *
 * <ul>
 *   <li>Dream, Dream-Coder and DiffuCoder, whose tokens see the whole text;
 *   <li>SDAR and TraDo, whose tokens see their block and the blocks before it;
 *   <li>Fast-dLLM v2, likewise.
 * </ul>
 *
 * <p>Those of Qwen 2 still predict the next token: the logits of a row are those of the token after
 * it.
 *
 * @see <a href="https://arxiv.org/abs/2508.15487">Dream 7B</a>
 * @see <a href="https://arxiv.org/abs/2510.06303">SDAR</a>
 * @see <a href="https://arxiv.org/abs/2509.26328">Fast-dLLM v2</a>
 */
final class QwenDiffusion implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of(
        "DreamModel",
        "Dream",
        "SDARForCausalLM",
        "sdar",
        "SDARMoeForCausalLM",
        "sdar_moe",
        "Fast_dLLM_QwenForCausalLM",
        "Fast_dLLM_Qwen");
  }

  @Override
  public Architecture describe(Config c) {
    String type = c.choice("model_type", "Dream", "Dream", "sdar", "sdar_moe", "Fast_dLLM_Qwen");
    String qwen =
        switch (type) {
          case "sdar" -> "qwen3";
          case "sdar_moe" -> "qwen3_moe";
          default -> "qwen2";
        };
    return Qwen.describe(c, qwen, type.toLowerCase(Locale.ROOT)).denoising(diffusion(c, type));
  }

  /** The masks are those of the published models, where a config does not name one. */
  private static Diffusion diffusion(Config c, String type) {
    return switch (type) {
      case "Dream" -> Diffusion.masked(c.count("mask_token_id", 151666)).shiftedBy1();
      case "Fast_dLLM_Qwen" ->
          Diffusion.masked(c.count("mask_token_id", 151665))
              .inBlocks(c.positive("bd_size", 32))
              .shiftedBy1();
      default -> {
        // How the makers trained.
        c.ignore("fuse_cross_entropy", "debug", "ep_size", "micro_forward", "skip_checkpoint");
        yield Diffusion.masked(c.count("mask_token_id", 151669))
            .inBlocks(c.positive("block_size", 4));
      }
    };
  }

  @Override
  public WeightNames weights(Config c) {
    return Experts.names(Names.llama());
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(GgufDiffusion.dream());
  }
}
