package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Phi-3.5-MoE: Mixtral with biases, layer norms, and a router that weighs each choice by itself.
 */
final class PhiMoe implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("PhiMoEForCausalLM", "PhimoeForCausalLM", "phimoe");
  }

  @Override
  public Architecture describe(Config c) {
    c.ignore("input_jitter_noise");
    Decoder d = new Decoder(c, 131_072);
    NormSpec norm = Decoder.layerNorm(c, "rms_norm_eps", true);
    RopeSettings rope = RopeSettings.read(c, 1e6, 1, d.headDim, d.context);
    Part full = rope.on(d.biased(d.attention()));
    int window = c.count("sliding_window", 0);
    Part attention = window > 0 ? full.with("window", window) : full;
    Part moe =
        Experts.local(c)
            .with("score", "sparse-mixer")
            .with("jitter", c.real("router_jitter_noise", 0.01f))
            .with("normalized", false);
    if (c.positive("num_experts_per_tok") != 2) {
      throw c.errorAt("num_experts_per_tok", "num_experts_per_tok must be 2 in this family");
    }
    Head head = new Head(c.flag("tie_word_embeddings", false), c.flag("lm_head_bias", false), 1, 0);
    return d.architecture(
        "phimoe", Embedding.PLAIN, i -> Decoder.preNorm(norm, attention, moe), norm, head);
  }

  @Override
  public WeightNames weights(Config c) {
    int inner = c.positive("intermediate_size");
    WeightNames names =
        Experts.fused(Names.llama(), c.positive("hidden_size"), inner)
            .row("moe.router", Names.LAYER + "mlp.router.weight");
    return Experts.numbered(names, Names.LAYER + "block_sparse_moe.");
  }
}
