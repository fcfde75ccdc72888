package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Bloom: normed embeddings, no positions but the biases of ALiBi, pre-norm, all biased. */
final class Bloom implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("BloomForCausalLM", "bloom");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = shape(c);
    NormSpec norm = Decoder.layerNorm(c, "layer_norm_epsilon", true);
    Decoder.only(c, "apply_residual_connection_post_layernorm", false);
    Decoder.only(c, "skip_bias_add_qkv", false);
    int inner = 4 * d.width;
    if (c.positive("n_inner", inner) != inner) {
      throw c.errorAt(
          "n_inner",
          "n_inner=%d; the inner width of this family is 4 x %d",
          c.positive("n_inner"),
          d.width);
    }
    Part attention = d.attention().with("alibi", 1).with("biased", true).with("outBiased", true);
    Part mlp = Decoder.mlp(inner, "gelu-tanh", true);
    // How Megatron's kernels were fused and sliced; the sums are the same.
    c.ignore("slow_but_exact", "attention_softmax_in_fp32", "bias_dropout_fusion");
    c.ignore("masked_softmax_fusion", "skip_bias_add", "offset_alibi", "unk_token_id");
    return d.architecture(
        "bloom",
        new Embedding(1, 0, norm),
        i -> Decoder.preNorm(norm, attention, mlp),
        norm,
        Head.of(c.flag("tie_word_embeddings", true)));
  }

  private static Decoder shape(Config c) {
    String width = Decoder.spelled(c, "hidden_size", "n_embed");
    String layers = Decoder.spelled(c, "n_layer", "num_hidden_layers");
    String heads = Decoder.spelled(c, "n_head", "num_attention_heads");
    c.share(width, heads);
    return new Decoder(
        c,
        c.positive(width),
        c.positive(layers),
        c.positive(heads),
        c.positive("seq_length", 2048));
  }

  @Override
  public WeightNames weights(Config c) {
    return Megatron.names(shape(c), "input_layernorm", "post_attention_layernorm")
        .row("embedding.norm", "transformer.word_embeddings_layernorm.weight");
  }
}
