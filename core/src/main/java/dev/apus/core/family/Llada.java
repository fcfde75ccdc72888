package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Diffusion;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.Collections;
import java.util.List;

/**
 * LLaDA and LLaDA 1.5: Llama with tokens that see the whole text, trained to find those that are
 * masked.
 *
 * @see <a href="https://arxiv.org/abs/2502.09992">LLaDA</a>
 */
final class Llada implements ModelFamily {

  private static final String BLOCK = "model.transformer.blocks.{i}.";

  @Override
  public List<String> names() {
    return List.of("LLaDAModelLM", "llada");
  }

  @Override
  public Architecture describe(Config c) {
    // Training, and how the reference arranges its modules.
    c.ignore("init_fn", "init_std", "init_cutoff_factor", "init_device", "precision");
    c.ignore("block_group_size", "flash_attention", "rope_full_precision", "alibi_bias_max");
    c.ignore("train_max_sequence_length", "attention_layer_norm_with_affine");
    c.choice("block_type", "llama", "llama");
    c.choice("layer_norm_type", "rms", "rms");
    Decoder.only(c, "rope", true);
    Decoder.only(c, "layer_norm_with_affine", true);
    for (String absent :
        List.of(
            "alibi",
            "attention_layer_norm",
            "bias_for_layer_norm",
            "include_bias",
            "input_emb_norm",
            "multi_query_attention",
            "scale_logits")) {
      Decoder.only(c, absent, false);
    }
    // Other files have these under the usual names.
    String heads = Decoder.spelled(c, "num_attention_heads", "n_heads");
    String kvHeads = Decoder.spelled(c, "num_key_value_heads", "n_kv_heads");
    Decoder d =
        new Decoder(
            c,
            c.positive(Decoder.spelled(c, "hidden_size", "d_model")),
            c.positive(Decoder.spelled(c, "num_hidden_layers", "n_layers")),
            c.positive(heads),
            Decoder.kvHeads(c, heads, kvHeads),
            c.positive(Decoder.spelled(c, "max_position_embeddings", "max_sequence_length")));
    NormSpec norm = d.rms(1e-5);
    boolean biased = c.flag("include_qkv_bias", false);
    Part attention = d.rope(d.attention().with("biased", biased));
    String innerKey = Decoder.spelled(c, "intermediate_size", "mlp_hidden_size");
    int inner = c.positive(innerKey, d.width * c.positive("mlp_ratio", 4));
    Part mlp =
        Part.of("gated-mlp")
            .with("inner", inner)
            .with("activation", c.choice("activation_type", "silu", "silu"));
    Layer layer = Decoder.preNorm(norm, attention, mlp);
    return new Architecture(
            "llada",
            c.positive("embedding_size", c.positive("vocab_size")),
            d.width,
            d.context,
            Embedding.PLAIN,
            Collections.nCopies(d.layers, layer),
            norm,
            Head.of(c.flag(Decoder.spelled(c, "tie_word_embeddings", "weight_tying"), false)))
        .denoising(Diffusion.masked(c.count("mask_token_id")));
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names =
        new WeightNames()
            .row("embedding", "model.transformer.wte.weight")
            .row("norm", "model.transformer.ln_f.weight")
            .row("head", "model.transformer.ff_out.weight")
            .row("mixer.norm", BLOCK + "attn_norm.weight")
            .row("channel.norm", BLOCK + "ff_norm.weight")
            .row("attention.o", BLOCK + "attn_out.weight")
            .row("gated-mlp.gate", BLOCK + "ff_proj.weight")
            .row("gated-mlp.up", BLOCK + "up_proj.weight")
            .row("gated-mlp.down", BLOCK + "ff_out.weight");
    for (String p : new String[] {"q", "k", "v"}) {
      names.row("attention." + p, BLOCK + p + "_proj.weight");
    }
    return names;
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(GgufDiffusion.llada());
  }
}
