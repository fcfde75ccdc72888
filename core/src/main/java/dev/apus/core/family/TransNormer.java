package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.List;
import java.util.Map;

/**
 * TransNormerLLM: lightning attention in all layers, with learned positions in some, gates without
 * a function, and norms without weights.
 */
final class TransNormer implements ModelFamily {

  private static final NormSpec NORM = NormSpec.rms(1e-6).unweighted();

  @Override
  public List<String> names() {
    return List.of("TransnormerForCausalLM", "transnormer");
  }

  @Override
  public Architecture describe(Config c) {
    c.ignore("add_bos_token", "init_std");
    Decoder.only(c, "bias", false);
    c.choice("norm_type", "simplermsnorm", "simplermsnorm");
    int width = c.positive("decoder_embed_dim", 1024);
    int layers = c.positive("decoder_layers", 24);
    int heads = c.positive("decoder_attention_heads", 8);
    if (Integer.bitCount(heads) != 1 || layers < 2) {
      throw c.error(
          "decoder_attention_heads=%d must be a power of 2 and decoder_layers=%d at least 2: how"
              + " fast heads forget is not defined here otherwise",
          heads, layers);
    }
    Decoder d = new Decoder(c, width, layers, heads, c.positive("max_position_embeddings", 2048));
    int inner = c.positive("hidden_dim", width);
    if (inner % heads != 0) {
      throw c.errorAt("hidden_dim", "hidden_dim=%d is not divisible by %d heads", inner, heads);
    }
    List<Integer> turned =
        c.has("linear_use_lrpe_list") ? c.integers("linear_use_lrpe_list") : List.of();
    if (!turned.isEmpty() && turned.size() != layers) {
      throw c.errorAt(
          "linear_use_lrpe_list",
          "linear_use_lrpe_list is of %d layers, decoder_layers=%d",
          turned.size(),
          layers);
    }
    Part mlp = d.gatedMlp(glu(c, width)).with("activation", "identity");
    return d.architecture(
        "transnormer",
        new Embedding(c.flag("no_scale_embedding", false) ? 1 : (float) Math.sqrt(width), 0, null),
        layer -> {
          Part mixer = lightning(c, inner / heads, heads, 1 - layer / (layers - 1.0) + 1e-5);
          return Decoder.preNorm(
              NORM,
              turned.isEmpty() || turned.get(layer) == 0
                  ? mixer
                  : mixer.with("features", Map.of("map", "lrpe")),
              mlp);
        },
        NORM,
        Head.of(c.flag("tie_word_embeddings", true)));
  }

  private static int glu(Config c, int width) {
    return c.has("glu_dim") && c.integer("glu_dim") == -1 ? width : c.positive("glu_dim", 2816);
  }

  private static Part lightning(Config c, int dim, int heads, double scale) {
    Part part =
        Part.of("linear-attention")
            .with("heads", heads)
            .with("keyDim", dim)
            .with("activation", Activations.of(c, "linear_act_fun", "silu"))
            .with("activated", "qk")
            .with("scale", 1)
            .with("decay", Part.of("").with("rates", "lightning").with("scale", scale).settings())
            .with("gate", "identity");
    return Decoder.normed(part, NORM, "row", false);
  }

  @Override
  public WeightNames weights(Config c) {
    int inner = c.positive("hidden_dim", c.positive("decoder_embed_dim", 1024));
    String ours = "linear-attention.";
    String mixer = Names.LAYER + "token_mixer.";
    Source fused = WeightNames.from(mixer + "qkvu_proj.weight");
    WeightNames names =
        new WeightNames()
            .row("embedding", "model.embed_tokens.weight")
            .row("head", "lm_head.weight")
            .row(ours + "o", mixer + "out_proj.weight")
            .row(ours + "features.theta", mixer + "lrpe.theta");
    String[] parts = {"q", "k", "v", "gate"};
    for (int i = 0; i < parts.length; i++) {
      names.row(ours + parts[i], fused.as(Conversion.rows(i * inner, inner)));
    }
    String channel = Names.LAYER + "channel_mixer.";
    return names
        .row("gated-mlp.gate", channel + "l1.weight")
        .row("gated-mlp.up", channel + "l2.weight")
        .row("gated-mlp.down", channel + "l3.weight");
  }
}
