package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * DBRX: queries, keys and values clipped, layer norms without biases, and 16 experts in all layers.
 */
final class Dbrx implements ModelFamily {

  private static final String LAYER = "transformer.blocks.{i}.";

  @Override
  public List<String> names() {
    return List.of("DbrxForCausalLM", "dbrx");
  }

  @Override
  public Architecture describe(Config c) {
    c.ignore("emb_pdrop", "num_key_value_heads");
    Config settings = c.section("attn_config");
    Config experts = c.section("ffn_config");
    Harmless.ignore(settings);
    Harmless.ignore(experts);
    Decoder d = decoder(c);
    NormSpec norm = NormSpec.layer(1e-5, false);
    double theta = settings.number("rope_theta", 10_000);
    RopeSettings rope = RopeSettings.read(c, theta, 1, d.headDim, d.context);
    Part attention = rope.on(Decoder.clipped(d.attention(), settings));
    Part moe = experts(experts, d.width);
    return d.architecture("dbrx", i -> Decoder.preNorm(norm, attention, moe), norm);
  }

  static Decoder decoder(Config c) {
    int kvHeads = c.section("attn_config").positive("kv_n_heads", 1);
    return new Decoder(
        c,
        c.positive(Decoder.spelled(c, "d_model", "hidden_size")),
        c.positive(Decoder.spelled(c, "n_layers", "num_hidden_layers")),
        c.positive(Decoder.spelled(c, "n_heads", "num_attention_heads")),
        kvHeads,
        c.positive(Decoder.spelled(c, "max_seq_len", "max_position_embeddings"), 2048));
  }

  private static Part experts(Config c, int width) {
    c.ignore("moe_jitter_eps", "moe_loss_weight");
    if (c.positive("hidden_size", width) != width) {
      throw c.errorAt("hidden_size", "hidden_size=%d must be d_model", c.positive("hidden_size"));
    }
    boolean normalized = !c.isNull("moe_normalize_expert_weights");
    if (normalized && c.number("moe_normalize_expert_weights", 1) != 1) {
      throw c.errorAt(
          "moe_normalize_expert_weights",
          "moe_normalize_expert_weights=%s is not supported; supported: 1 and null",
          c.raw("moe_normalize_expert_weights"));
    }
    return Part.of("moe")
        .with("experts", c.positive("moe_num_experts", 4))
        .with("top", c.positive("moe_top_k", 1))
        .with("normalized", normalized)
        .with("inner", inner(c))
        .with(
            "activation",
            c.hasSection("ffn_act_fn")
                ? Activations.of(c.section("ffn_act_fn"), "name", "silu")
                : "silu");
  }

  static int inner(Config c) {
    return c.positive("ffn_hidden_size", 3584);
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufDbrx());
  }

  /** An expert's matrices are so many rows of common ones; the last is stored by columns. */
  @Override
  public WeightNames weights(Config c) {
    Decoder d = decoder(c);
    int inner = inner(c.section("ffn_config"));
    String mixer = LAYER + "norm_attn_norm.";
    String mlp = LAYER + "ffn.experts.mlp.";
    Conversion columns = Conversion.transposed(inner, d.width);
    long rows = (long) inner * c.section("ffn_config").positive("moe_num_experts", 4);
    return Names.fusedQkv(
            new WeightNames(), mixer + "attn.Wqkv.weight", d.width, d.kvHeads * d.headDim)
        .row("embedding", "transformer.wte.weight")
        .row("norm", "transformer.norm_f.weight")
        .row("head", "lm_head.weight")
        .row("mixer.norm", mixer + "norm_1.weight")
        .row("channel.norm", mixer + "norm_2.weight")
        .row("attention.o", mixer + "attn.out_proj.weight")
        .row("moe.router", LAYER + "ffn.router.layer.weight")
        .row("moe.expert.gate", WeightNames.from(mlp + "w1").ofExpert(inner, 0, inner))
        .row("moe.expert.up", WeightNames.from(mlp + "v1").ofExpert(inner, 0, inner))
        .row("moe.expert.down", WeightNames.from(mlp + "w2").ofExpert(inner, 0, inner).as(columns))
        .shaped(mlp + "w1", rows, d.width)
        .shaped(mlp + "v1", rows, d.width)
        .shaped(mlp + "w2", rows, d.width)
        .ignore(".*\\.rotary_emb\\.inv_freq");
  }
}
