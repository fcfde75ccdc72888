package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * DeepSeek-V2 and V3, and those that are V3 under other names, such as Moonlight and Kimi-K2:
 * latent attention, and experts in all layers but the first few.
 */
final class DeepSeek implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("DeepseekV2ForCausalLM", "deepseek_v2", "DeepseekV3ForCausalLM", "deepseek_v3");
  }

  private static boolean isV2(Config c) {
    return c.word("model_type", "deepseek_v3").equals("deepseek_v2");
  }

  @Override
  public Architecture describe(Config c) {
    ignoreTraining(c);
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    LatentSettings latent = LatentSettings.read(d);
    boolean interleaved = isV2(c) || c.flag("rope_interleave", true);
    RopeSettings rope = interleaved ? latent.rope().interleaved() : latent.rope();
    Part attention = rope.on(latent.scaled(latent.attention()));
    List<Boolean> sparse = Experts.sparse(d, isV2(c) ? 0 : 3);
    Part dense = d.gatedMlp();
    Part experts = isV2(c) ? greedy(Experts.routed(c), c) : corrected(c);
    return d.architecture(
        isV2(c) ? "deepseek-v2" : "deepseek-v3",
        i -> Decoder.preNorm(norm, attention, sparse.get(i) ? experts : dense),
        norm);
  }

  /** Losses, how experts were spread over machines, and what predicts further tokens. */
  static void ignoreTraining(Config c) {
    c.ignore("aux_loss_alpha", "seq_aux", "ep_size");
    Experts.further(c);
  }

  /** V3's experts. */
  static Part corrected(Config c) {
    c.choice("scoring_func", "sigmoid", "sigmoid");
    c.choice("topk_method", "noaux_tc", "noaux_tc");
    return Experts.corrected(Experts.routed(c), c, "n_group", "norm_topk_prob");
  }

  /** V2's router: the best of all, or of the groups with the best experts. */
  private static Part greedy(Part moe, Config c) {
    c.choice("scoring_func", "softmax", "softmax");
    Decoder.only(c, "norm_topk_prob", false);
    Part router = moe.with("normalized", false).with("scale", c.real("routed_scaling_factor", 1));
    if (c.choice("topk_method", "greedy", "greedy", "group_limited_greedy").equals("greedy")) {
      c.ignore("n_group", "topk_group");
      return router;
    }
    return router
        .with("groups", c.positive("n_group"))
        .with("topGroups", c.positive("topk_group"))
        .with("groupWorth", "best");
  }

  @Override
  public WeightNames weights(Config c) {
    return names(c);
  }

  static WeightNames names(Config c) {
    Decoder d = new Decoder(c);
    WeightNames names = LatentSettings.read(d).names(Names.llama());
    return Experts.withoutFurther(Experts.routed(names, d), d);
  }
}
