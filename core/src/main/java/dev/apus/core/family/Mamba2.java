package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Mamba-2 in the layout of Hugging Face: layers of one Mamba-2 mixer each. */
final class Mamba2 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("Mamba2ForCausalLM", "mamba2");
  }

  @Override
  public Architecture describe(Config c) {
    Mamba2Settings.ignoreTraining(c);
    c.ignore("intermediate_size");
    Decoder.only(c, "rms_norm", true);
    Decoder d =
        new Decoder(
            c,
            c.positive("hidden_size"),
            c.positive("num_hidden_layers"),
            1,
            c.positive("max_position_embeddings", Mamba.CONTEXT));
    NormSpec norm = NormSpec.rms(Decoder.epsilon(c, "layer_norm_epsilon", 1e-5));
    boolean biased = c.flag("use_bias", false);
    boolean convBiased = c.flag("use_conv_bias", true);
    Part part = shape(c).part(Activations.of(c), biased, biased, convBiased);
    Part mixer = Mamba2Settings.normed(Mamba2Settings.limited(part, c), norm, normOver(c), true);
    return d.architecture("mamba2", i -> Layer.of(Branch.mixer(mixer, norm)), norm);
  }

  static Mamba2Settings shape(Config c) {
    return new Mamba2Settings(
            c.positive("num_heads"),
            c.positive("head_dim"),
            c.positive("n_groups"),
            c.positive("state_size"),
            c.positive("conv_kernel", 4))
        .filling(c, (long) c.positive("hidden_size") * c.positive("expand", 2), "expand");
  }

  /**
   * The reference normalises rows. Configs that know {@code norm_before_gate} were written beside
   * the kernels of the model's authors, who normalise groups; the reference has never heeded its
   * value, and neither have those who trained with it.
   */
  private static String normOver(Config c) {
    c.ignore("norm_before_gate");
    return Mamba2Settings.normOver(c, c.has("norm_before_gate") ? "group" : "row");
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufMamba2());
  }

  @Override
  public WeightNames weights(Config c) {
    String layer = "backbone.layers.{i}.";
    WeightNames names =
        MambaParts.backbone("embedding", layer)
            .row("embedding", "backbone.embeddings.weight")
            .prefix("backbone.", "model.backbone.")
            .prefix("lm_head.", "model.lm_head.");
    return shape(c).names(names, layer + "mixer.");
  }
}
