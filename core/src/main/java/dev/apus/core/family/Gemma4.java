package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Gemma 4: windows in most layers, heads of another size in the others, values normalised, layers
 * that read the keys and values of earlier ones, an input of its own for each layer, and in the
 * larger models experts beside the dense block. Norm weights are stored as they are.
 */
final class Gemma4 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("Gemma4ForCausalLM", "gemma4_text", "Gemma4ForConditionalGeneration", "gemma4");
  }

  @Override
  public Architecture describe(Config config) {
    Config c = TextConfig.of(config);
    if (c != config) {
      config.ignore(
          "audio_config",
          "audio_token_id",
          "boa_token_id",
          "boi_token_id",
          "eoa_token_id",
          "eoa_token_index",
          "eoi_token_id",
          "vision_soft_tokens_per_image");
    }
    // Images may be seen as a whole; text is read from left to right.
    c.choice("use_bidirectional_attention", "vision", "vision");
    Gemma4Layers layers = Gemma4Layers.read(c);
    Decoder d = layers.d();
    boolean tied = c.flag("tie_word_embeddings", config.flag("tie_word_embeddings", true));
    float softcap = c.real("final_logit_softcapping", 0);
    return layers.streams(
        d.architecture(
            "gemma4",
            new Embedding((float) Math.sqrt(d.width), 0, null),
            layers::layer,
            layers.norm(),
            new Head(tied, false, 1, softcap)));
  }

  @Override
  public WeightNames weights(Config config) {
    Gemma4Layers layers = Gemma4Layers.read(TextConfig.of(config));
    WeightNames names =
        names(layers)
            .row("channel.sum", Names.LAYER + "layer_scalar")
            .row("inputs.linear.w", "model.per_layer_model_projection.weight")
            .row("inputs.channel.after", "model.per_layer_projection_norm.weight")
            .row("inputs.lookup.table", "model.embed_tokens_per_layer.weight")
            .row("gate.linear.w", Names.LAYER + "per_layer_input_gate.weight")
            .row("input.linear.w", Names.LAYER + "per_layer_projection.weight")
            .row("input.channel.after", Names.LAYER + "post_per_layer_input_norm.weight")
            .prefix("model.", "model.language_model.")
            .prefix("model.", "language_model.model.")
            .ignore("(model\\.)?(vision_tower|audio_tower|embed_vision|embed_audio)\\..*");
    for (int reading = layers.firstReading(); reading < layers.d().layers; reading++) {
      names.ignore(".*\\.layers\\." + reading + "\\.self_attn\\.[kv]_(proj|norm)\\..*");
    }
    return names;
  }

  /** What all that is made of these layers calls their weights, but for the factors of layers. */
  static WeightNames names(Gemma4Layers layers) {
    WeightNames names =
        Names.outer()
            .row("mixer.norm", norm("input"))
            .row("mixer.after", norm("post_attention"))
            .row("channel.norm", norm("pre_feedforward"))
            .row("channel.after", norm("post_feedforward"));
    return layers.moe() == null ? names : experts(names, layers);
  }

  private static String norm(String name) {
    return Names.LAYER + name + "_layernorm.weight";
  }

  private static WeightNames experts(WeightNames names, Gemma4Layers layers) {
    int width = layers.d().width;
    String router = Names.LAYER + "router.";
    String experts = Names.LAYER + "experts.";
    Names.gatedMlp(names, "dense.gated-mlp.", Names.LAYER + "mlp.");
    return Experts.fused(
            names, experts + "gate_up_proj", experts + "down_proj", width, layers.expertInner())
        .row("dense.channel.norm", norm("pre_feedforward"))
        .row("dense.channel.after", Names.LAYER + "post_feedforward_layernorm_1.weight")
        .row("moe.expert.norm", Names.LAYER + "pre_feedforward_layernorm_2.weight")
        .row("moe.router", router + "proj.weight")
        .row(
            "moe.router.norm",
            WeightNames.from(router + "scale")
                .as(Conversion.scaled((float) (1 / Math.sqrt(width)))))
        .row("moe.factors", router + "per_expert_scale")
        .row("channel.after", Names.LAYER + "post_feedforward_layernorm_2.weight")
        .row("both.channel.norm", norm("post_feedforward"));
  }
}
