package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** GPT-NeoX and Pythia: attention and MLP side by side, each behind a norm of its own. */
final class GptNeoX implements ModelFamily {

  private static final String LAYER = "gpt_neox.layers.{i}.";

  @Override
  public List<String> names() {
    return List.of("GPTNeoXForCausalLM", "gpt_neox");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = shape(c);
    NormSpec norm = Decoder.layerNorm(c, "layer_norm_eps", true);
    boolean biased = c.flag("attention_bias", true);
    Part attention =
        RopeSettings.read(c, 10_000, 0.25, d.headDim, d.context)
            .on(d.attention())
            .with("biased", biased)
            .with("outBiased", biased);
    Part mlp =
        Decoder.mlp(c.positive("intermediate_size"), Activations.of(c, "hidden_act", "gelu"), true);
    c.ignore("attention_probs_dropout_prob");
    Layer layer =
        c.flag("use_parallel_residual", true)
            ? Decoder.parallel(norm, attention, mlp)
            : Decoder.preNorm(norm, attention, mlp);
    return d.architecture("gpt-neox", i -> layer, norm);
  }

  private static Decoder shape(Config c) {
    return new Decoder(
        c,
        c.positive("hidden_size"),
        c.positive("num_hidden_layers"),
        c.positive("num_attention_heads"),
        c.positive("max_position_embeddings", 2048));
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names =
        new WeightNames()
            .row("embedding", "gpt_neox.embed_in.weight")
            .row("mixer.norm", LAYER + "input_layernorm.weight")
            .row("channel.norm", LAYER + "post_attention_layernorm.weight")
            .row("attention.o", LAYER + "attention.dense.weight")
            .row("norm", "gpt_neox.final_layer_norm.weight")
            .row("head", "embed_out.weight")
            .ignore(".*\\.attention\\.(bias|masked_bias|rotary_emb\\.inv_freq)");
    Names.mlp(names, LAYER + "mlp.dense_h_to_4h.weight", LAYER + "mlp.dense_4h_to_h.weight");
    return Names.groupedQkv(names, LAYER + "attention.query_key_value.weight", shape(c));
  }
}
