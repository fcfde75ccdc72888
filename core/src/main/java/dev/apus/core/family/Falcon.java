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
    return List.of("FalconForCausalLM", "falcon");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = shape(c);
    NormSpec norm = NormSpec.layer(c.number("layer_norm_epsilon", 1e-5), true);
    boolean biased = c.flag("bias", false);
    Decoder.only(c, "apply_residual_connection_post_layernorm", false);
    Part plain = d.attention().with("biased", biased).with("outBiased", biased);
    Part attention = positioned(c, d, plain);
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
    // The biases are scaled like the scores that they are added to.
    return attention.with("alibi", 1 / Math.sqrt(d.headDim));
  }

  private static Decoder shape(Config c) {
    String width = Decoder.spelled(c, "hidden_size", "n_embed");
    String heads = Decoder.spelled(c, "num_attention_heads", "n_head");
    String kvHeads = Decoder.spelled(c, "num_kv_heads", "n_head_kv");
    c.share(width, heads);
    int all = c.positive(heads);
    int kept = c.positive(kvHeads, all);
    boolean multi = c.flag("multi_query", true);
    boolean grouped = c.flag("new_decoder_architecture", false);
    return new Decoder(
        c,
        c.positive(width),
        c.positive(Decoder.spelled(c, "num_hidden_layers", "n_layer")),
        all,
        grouped ? kept : multi ? 1 : all,
        c.positive("max_position_embeddings", 2048));
  }

  /** How many norms stand before attention and MLP side by side; 0 if one follows the other. */
  private static int norms(Config c) {
    boolean grouped = c.flag("new_decoder_architecture", false);
    boolean parallel = c.flag("parallel_attn", true);
    if (grouped && !parallel) {
      throw c.errorAt(
          "parallel_attn", "parallel_attn=false contradicts new_decoder_architecture=true");
    }
    int norms = c.positive("num_ln_in_parallel_attn", grouped ? 2 : 1);
    if (norms > (grouped ? 2 : 1)) {
      throw c.errorAt(
          "num_ln_in_parallel_attn",
          "num_ln_in_parallel_attn=%d is not supported; supported: 1, and 2 with"
              + " new_decoder_architecture=true",
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
