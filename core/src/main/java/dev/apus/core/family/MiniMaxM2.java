package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * MiniMax M2: queries and keys normalised over all heads, and many small experts whose choice is
 * corrected.
 */
final class MiniMaxM2 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("MiniMaxM2ForCausalLM", "minimax_m2");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    RopeSettings read = RopeSettings.read(c, 5e6, 1, d.headDim, d.context);
    RopeSettings rope = c.has("rotary_dim") ? read.with("dims", c.positive("rotary_dim")) : read;
    Part attention = rope.on(Decoder.normed(d.attention(), norm, "row", false));
    Part moe =
        Part.of("moe")
            .with("experts", c.positive("num_local_experts"))
            .with("top", c.positive("num_experts_per_tok"))
            .with("score", c.choice("scoring_func", "sigmoid", "sigmoid"))
            .with("biased", true)
            .with("inner", c.positive("intermediate_size"))
            .with("activation", Activations.of(c));
    return d.architecture("minimax_m2", i -> Decoder.preNorm(norm, attention, moe), norm);
  }

  @Override
  public WeightNames weights(Config c) {
    String moe = Names.LAYER + "block_sparse_moe.";
    String later = Names.LAYER + "mlp.";
    int inner = c.positive("intermediate_size");
    return Experts.numbered(Names.llama(), moe, later, c.positive("hidden_size"), inner)
        .row("moe.router.correction", later + "e_score_correction_bias")
        .row("moe.router.correction", moe + "e_score_correction_bias");
  }
}
