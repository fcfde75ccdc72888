package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * GPT-2: learned positions, pre-norm, plain attention and MLP, all biased, weights stored turned.
 */
final class Gpt2 implements ModelFamily {

  private static final String LAYER = "transformer.h.{i}.";

  @Override
  public List<String> names() {
    return List.of("GPT2LMHeadModel", "gpt2");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = shape(c);
    NormSpec norm = Decoder.layerNorm(c, "layer_norm_epsilon", true);
    Decoder.only(c, "add_cross_attention", false);
    double scale = c.flag("scale_attn_weights", true) ? 1 / Math.sqrt(d.headDim) : 1;
    boolean fading = c.flag("scale_attn_by_inverse_layer_idx", false);
    Part attention = d.attention().with("biased", true).with("outBiased", true);
    Part mlp =
        Decoder.mlp(
            c.positive("n_inner", 4 * d.width),
            Activations.of(c, "activation_function", "gelu_new"),
            true);
    c.ignore("n_ctx", "predict_special_tokens", "summary_activation", "summary_first_dropout");
    c.ignore("summary_proj_to_labels", "summary_type", "summary_use_proj");
    // The order in which scores are scaled matters in half precision; here they are single.
    c.ignore("reorder_and_upcast_attn");
    return d.architecture(
        "gpt2",
        new Embedding(1, d.context, null),
        i -> Decoder.preNorm(norm, attention.with("scale", fading ? scale / (i + 1) : scale), mlp),
        norm,
        Head.of(c.flag("tie_word_embeddings", true)));
  }

  private static Decoder shape(Config c) {
    c.share("n_embd", "n_head");
    return new Decoder(
        c,
        c.positive("n_embd"),
        c.positive("n_layer"),
        c.positive("n_head"),
        c.positive("n_positions", 1024));
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = shape(c);
    WeightNames names =
        new WeightNames()
            .prefix("transformer.", "")
            .row("embedding", "transformer.wte.weight")
            .row("positions", "transformer.wpe.weight")
            .row("mixer.norm", LAYER + "ln_1.weight")
            .row("channel.norm", LAYER + "ln_2.weight")
            .row("norm", "transformer.ln_f.weight")
            .row("head", "lm_head.weight")
            .ignore("(transformer\\.)?h\\.\\d+\\.attn\\.(masked_)?bias");
    WeightNames.Source all =
        WeightNames.from(LAYER + "attn.c_attn.weight").as(Conversion.TRANSPOSED);
    for (int i = 0; i < 3; i++) {
      names.row("attention." + "qkv".charAt(i), all.as(Conversion.rows(i * d.width, d.width)));
    }
    return names
        .row("attention.o", turned(LAYER + "attn.c_proj.weight"))
        .row("mlp.up", turned(LAYER + "mlp.c_fc.weight"))
        .row("mlp.down", turned(LAYER + "mlp.c_proj.weight"));
  }

  private static WeightNames.Source turned(String name) {
    return WeightNames.from(name).as(Conversion.TRANSPOSED);
  }
}
