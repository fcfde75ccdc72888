package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Falcon in its three shapes: attention beside the MLP behind one norm (7B), behind a norm each
 * (40B), or before it (RW); with rotary positions or ALiBi.
 */
final class Falcon implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("FalconForCausalLM", "falcon", "RWForCausalLM", "RefinedWeb", "RefinedWebModel");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = shape(c);
    NormSpec norm = Decoder.layerNorm(c, "layer_norm_epsilon", true);
    boolean biased = c.flag("bias", false);
    Decoder.only(c, "apply_residual_connection_post_layernorm", false);
    Part attention =
        positioned(c, d, d.attention().with("biased", biased).with("outBiased", biased));
    int inner = c.positive("ffn_hidden_size", c.positive("ff_factor", 4) * d.width);
    Part mlp = Decoder.mlp(inner, Activations.of(c, "activation", "gelu"), biased);
    Layer layer =
        norms(c) > 0
            ? Decoder.parallel(norm, attention, mlp)
            : Decoder.preNorm(norm, attention, mlp);
    return d.architecture(
        "falcon", Embedding.PLAIN, i -> layer, norm, Head.of(c.flag("tie_word_embeddings", true)));
  }

  private static Part positioned(Config c, Decoder d, Part attention) {
    if (!c.flag("alibi", false)) {
      return d.rope(attention);
    }
    c.ignore("rope_theta", "rope_scaling", "rope_parameters");
    // Scaled like the scores that they are added to, but not rounded to BF16 as the reference does.
    return attention.with("alibi", 1 / Math.sqrt(d.headDim));
  }

  private static Decoder shape(Config c) {
    String width = Decoder.spelled(c, "hidden_size", "n_embed");
    String heads = Decoder.spelled(c, "num_attention_heads", "n_head");
    c.share(width, heads);
    int all = c.positive(heads);
    int grouped = Decoder.kvHeads(c, heads, Decoder.spelled(c, "num_kv_heads", "n_head_kv"));
    int ungrouped = c.flag("multi_query", true) ? 1 : all;
    return new Decoder(
        c,
        c.positive(width),
        c.positive(Decoder.spelled(c, "num_hidden_layers", "n_layer")),
        all,
        grouped(c) ? grouped : ungrouped,
        c.positive("max_position_embeddings", 2048));
  }

  /** Whether it is shaped like the 40B model, whose first config had no name for that. */
  private static boolean grouped(Config c) {
    return c.flag("new_decoder_architecture", c.has("n_head_kv"));
  }

  /** How many norms stand before attention and MLP side by side; 0 if one follows the other. */
  private static int norms(Config c) {
    boolean grouped = grouped(c);
    boolean parallel = c.flag("parallel_attn", true);
    if (grouped && !parallel) {
      throw c.errorAt(
          "parallel_attn", "parallel_attn=false contradicts new_decoder_architecture=true");
    }
    int norms = c.positive("num_ln_in_parallel_attn", grouped ? 2 : 1);
    if (norms > (grouped ? 2 : 1)) {
      throw c.errorAt(
          "num_ln_in_parallel_attn",
          "num_ln_in_parallel_attn=%d is not supported; supported: 1, and 2 in grouped models",
          norms);
    }
    return parallel ? norms : 0;
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = shape(c);
    return switch (norms(c)) {
      case 0 -> Megatron.names(d, "input_layernorm", "post_attention_layernorm");
      case 1 -> Megatron.names(d, "input_layernorm", "input_layernorm");
      default -> Megatron.names(d, "ln_attn", "ln_mlp");
    };
  }
}
