package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Diffusion;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * LLaDA 2.0 and 2.1: Ling 2 made to fill blocks of 32 tokens, which see themselves and the blocks
 * before them; grouped attention, and experts in all layers but the first.
 *
 * @see <a href="https://arxiv.org/abs/2512.15745">LLaDA2.0</a>
 */
final class Llada2 implements ModelFamily {

  /** What the published models were made with; their configs do not say. */
  private static final int BLOCK = 32;

  private static final int MASK = 156895;

  @Override
  public List<String> names() {
    return List.of("LLaDA2MoeModelLM", "llada2_moe");
  }

  @Override
  public Architecture describe(Config c) {
    // Training, and what the reference reads and does not use.
    c.ignore("output_dropout", "router_dtype", "num_nextn_predict_layers", "max_window_layers");
    c.ignore("sliding_window");
    Decoder.only(c, "norm_head", false);
    Decoder.only(c, "use_sliding_window", false);
    Decoder.only(c, "moe_router_enable_expert_bias", true);
    Decoder.only(c, "norm_topk_prob", true);
    c.choice("score_function", "sigmoid", "sigmoid");
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-5);
    Part plain =
        d.attention()
            .with("biased", c.flag("use_qkv_bias", false))
            .with("outBiased", c.flag("use_bias", true));
    Part normed = c.flag("use_qk_norm", true) ? Decoder.normed(plain, norm, "head", false) : plain;
    Part attention = RopeSettings.read(c, 10_000, 0.5, d.headDim, d.context).on(normed);
    int inner = c.positive("moe_intermediate_size");
    Part moe =
        Part.of("moe")
            .with("experts", c.positive("num_experts"))
            .with("top", c.positive("num_experts_per_tok"))
            .with("inner", inner)
            .with("activation", Activations.of(c))
            .with("groups", c.positive("n_group", 8))
            .with("topGroups", c.positive("topk_group", 4))
            .with("score", "sigmoid")
            .with("biased", true)
            .with("scale", c.real("routed_scaling_factor", 2.5f))
            .with("epsilon", 1e-20);
    int shared = c.count("num_shared_experts", 0);
    Part experts = shared == 0 ? moe : moe.with("sharedInner", shared * inner);
    int dense = c.count("first_k_dense_replace", 0);
    Part mlp = dense > 0 ? d.gatedMlp() : null;
    c.ignore("intermediate_size");
    return d.architecture(
            "llada2_moe", i -> Decoder.preNorm(norm, attention, i < dense ? mlp : experts), norm)
        .denoising(Diffusion.masked(c.count("mask_token_id", MASK)).inBlocks(BLOCK));
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c);
    String attention = Names.LAYER + "attention.";
    WeightNames names = Experts.names(Names.llama());
    Names.fusedQkv(
        names, attention + "query_key_value.weight", d.heads * d.headDim, d.kvHeads * d.headDim);
    Names.gatedMlp(names, "moe.shared.", Names.LAYER + "mlp.shared_experts.");
    return names
        .row("embedding", "model.word_embeddings.weight")
        .row("attention.o", attention + "dense.weight")
        .row("attention.q.norm", attention + "query_layernorm.weight")
        .row("attention.k.norm", attention + "key_layernorm.weight")
        .row("moe.router.correction", Names.LAYER + "mlp.gate.expert_bias");
  }
}
