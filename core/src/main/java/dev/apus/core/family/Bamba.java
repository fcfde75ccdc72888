package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Bamba: Mamba-2 layers and a few of attention, which turns half of each head. */
final class Bamba implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("BambaForCausalLM", "bamba");
  }

  @Override
  public Architecture describe(Config c) {
    Mamba2Settings.ignoreTraining(c);
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-5);
    List<Integer> attentionLayers =
        c.has("attn_layer_indices") ? c.integers("attn_layer_indices") : List.of();
    for (int layer : attentionLayers) {
      if (layer < 0 || layer >= d.layers) {
        throw c.errorAt(
            "attn_layer_indices",
            "attn_layer_indices holds %d; num_hidden_layers=%d",
            layer,
            d.layers);
      }
    }
    Part mamba = Mamba2Settings.layer(c, d, norm);
    Part attention = attention(d);
    Part mlp = d.gatedMlp();
    return d.architecture(
        "bamba",
        i -> Decoder.preNorm(norm, attentionLayers.contains(i) ? attention : mamba, mlp),
        norm);
  }

  private static Part attention(Decoder d) {
    Config c = d.c;
    RopeSettings rope = RopeSettings.read(c, 10_000, 0.5, d.headDim, d.context);
    Object dims = rope.settings().get("dims");
    if (c.has("attn_rotary_emb") && c.positive("attn_rotary_emb") != (Integer) dims) {
      throw c.errorAt(
          "attn_rotary_emb",
          "attn_rotary_emb=%d is not the %d values that partial_rotary_factor says",
          c.positive("attn_rotary_emb"),
          dims);
    }
    return rope.on(d.biased(d.attention()));
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names =
        Names.withoutNorms()
            .row("norm", "model.final_layernorm.weight")
            .row("mixer.norm", Names.LAYER + "input_layernorm.weight")
            .row("channel.norm", Names.LAYER + "pre_ff_layernorm.weight");
    Names.gatedMlp(names, "gated-mlp.", Names.LAYER + "feed_forward.");
    return Mamba2Settings.prefixed(c, c.positive("hidden_size"))
        .names(names, Names.LAYER + "mamba.");
  }
}
