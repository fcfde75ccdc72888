package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * JetMoE: experts in both halves of a layer; those of attention have queries and outputs of their
 * own, and share keys and values.
 */
final class JetMoe implements ModelFamily {

  private static final String OURS = "mixture-of-attention-heads.";

  @Override
  public List<String> names() {
    return List.of("JetMoeForCausalLM", "jetmoe");
  }

  @Override
  public Architecture describe(Config c) {
    c.ignore("aux_loss_coef");
    Decoder.only(c, "glu", true);
    Decoder.only(c, "bias", true);
    Decoder d = decoder(c);
    if (c.positive("num_attention_heads", d.heads) != d.heads) {
      throw c.errorAt(
          "num_attention_heads",
          "num_attention_heads must be num_key_value_heads · num_experts_per_tok = %d",
          d.heads);
    }
    // The reference's epsilon in layers, whatever the config has for the norm after them.
    NormSpec norm = NormSpec.rms(1e-6);
    int headDim = headDim(c);
    int experts = c.positive(Decoder.spelled(c, "num_local_experts", "moe_num_experts"), 8);
    int top = d.heads / d.kvHeads;
    Part attention =
        RopeSettings.read(c, headDim, d.context)
            .on(
                Part.of("mixture-of-attention-heads")
                    .with("kvHeads", d.kvHeads)
                    .with("headDim", headDim)
                    .with("experts", experts)
                    .with("top", top)
                    .with("outBiased", true));
    Part moe =
        Part.of("moe")
            .with("experts", experts)
            .with("top", top)
            .with("inner", inner(c))
            .with("activation", Activations.of(c, "activation_function", "silu"))
            .with("outBiased", true);
    return d.architecture(
        "jetmoe",
        Architecture.Embedding.PLAIN,
        i -> Decoder.preNorm(norm, attention, moe),
        d.rms(),
        Architecture.Head.of(c.flag("tie_word_embeddings", true)));
  }

  private static Decoder decoder(Config c) {
    int kvHeads = c.positive("num_key_value_heads", 16);
    return new Decoder(
        c,
        c.positive("hidden_size"),
        c.positive("num_hidden_layers"),
        Math.multiplyExact(
            kvHeads, c.positive(Decoder.spelled(c, "num_experts_per_tok", "moe_top_k"), 2)),
        kvHeads,
        c.positive("max_position_embeddings", 4096));
  }

  private static int inner(Config c) {
    return c.positive(Decoder.spelled(c, "intermediate_size", "ffn_hidden_size"), 5632);
  }

  private static int headDim(Config c) {
    return c.positive(Decoder.spelled(c, "kv_channels", "head_dim"), 128);
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = decoder(c);
    int cols = d.kvHeads * headDim(c);
    String mixer = Names.LAYER + "self_attention.";
    String mlp = Names.LAYER + "mlp.";
    WeightNames.Source keysAndValues = WeightNames.from(mixer + "kv_proj.weight");
    String q = mixer + "experts.input_linear.weight";
    String o = mixer + "experts.output_linear.weight";
    WeightNames names =
        Names.llama()
            .row(OURS + "router", mixer + "experts.router.layer.weight")
            .row(OURS + "k", keysAndValues.as(Conversion.rows(0, cols)))
            .row(OURS + "v", keysAndValues.as(Conversion.rows(cols, cols)))
            .row(OURS + "expert.q", WeightNames.from(q).ofExpert(cols, 0, cols))
            .row(OURS + "expert.o", WeightNames.from(o).ofExpert(d.width, 0, d.width))
            .row(OURS + "bias", mixer + "experts.bias")
            .row("moe.router", mlp + "router.layer.weight")
            .row("moe.bias", mlp + "bias");
    return Experts.fused(
        names, mlp + "input_linear.weight", mlp + "output_linear.weight", d.width, inner(c));
  }
}
