package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Diffusion;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * LLaDA-MoE: OLMoE with norms of each head's queries and keys, and tokens that see the whole text.
 *
 * @see <a href="https://arxiv.org/abs/2509.24389">LLaDA-MoE</a>
 */
final class LladaMoe implements ModelFamily {

  /** The mask of the published models, whose configs do not name it. */
  private static final int MASK = 156895;

  @Override
  public List<String> names() {
    return List.of("LLaDAMoEModelLM", "lladamoe");
  }

  @Override
  public Architecture describe(Config c) {
    // Experts are all there are: what the config says of dense layers is not used.
    c.ignore("dense_intermediate_size", "shared_expert_intermediate_size", "intermediate_size");
    for (String absent :
        List.of("clip_qkv", "moe_layer_freq", "router_num_group", "router_topk_group")) {
      if (c.has(absent) && !isNone(c, absent)) {
        throw c.errorAt(absent, "%s=%s is not supported; supported: none", absent, c.raw(absent));
      }
    }
    Decoder.only(c, "moe_router_enable_expert_bias", false);
    c.choice("moe_router_score_function", "softmax", "softmax");
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-5);
    Part plain = d.biased(d.attention());
    Part attention =
        d.rope(c.flag("qk_layernorm", false) ? Decoder.normed(plain, norm, "head", false) : plain);
    Part moe =
        Part.of("moe")
            .with("experts", c.positive("num_experts"))
            .with("top", c.positive("num_experts_per_tok"))
            .with("normalized", c.flag("norm_topk_prob", false))
            .with("scale", c.real("routed_scaling_factor", 1))
            .with("inner", c.positive("expert_intermediate_size"))
            .with("activation", Activations.of(c));
    return d.architecture("lladamoe", i -> Decoder.preNorm(norm, attention, moe), norm)
        .denoising(Diffusion.masked(c.count("mask_token_id", MASK)));
  }

  /** Groups of −2 and 0, one group, and a list in which every layer has experts, are none. */
  private static boolean isNone(Config c, String key) {
    return switch (c.raw(key)) {
      case Long number -> number <= 1;
      case List<?> list -> list.stream().allMatch(Long.valueOf(1)::equals);
      case null -> true;
      default -> false;
    };
  }

  @Override
  public WeightNames weights(Config c) {
    return Experts.names(Names.llama());
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(GgufDiffusion.lladaMoe());
  }
}
