package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Granite: Llama with constant factors on the embedding, the scores, the residuals and the logits;
 * dense, or with experts and perhaps one that all tokens share.
 */
final class Granite implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of(
        "GraniteForCausalLM",
        "granite",
        "GraniteMoeForCausalLM",
        "granitemoe",
        "GraniteMoeSharedForCausalLM",
        "granitemoeshared");
  }

  @Override
  public Architecture describe(Config c) {
    String type = type(c);
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    Part channel = type.equals("granite") ? d.gatedMlp() : experts(c, shared(c));
    float residual = c.real("residual_multiplier", 1);
    Part attention =
        d.rope(d.biased(d.attention()).with("scale", c.real("attention_multiplier", 1)));
    Layer layer =
        Layer.of(
            Branch.mixer(attention, norm).scaled(residual),
            Branch.channel(channel, norm).scaled(residual));
    return d.architecture(type, embedding(c), i -> layer, norm, head(c));
  }

  static Embedding embedding(Config c) {
    return new Embedding(c.real("embedding_multiplier", 1), 0, null);
  }

  static Head head(Config c) {
    return new Head(
        c.flag("tie_word_embeddings", false), false, 1 / c.real("logits_scaling", 1), 0);
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = Names.llama();
    if (type(c).equals("granite")) {
      return names;
    }
    return expertNames(names, new Decoder(c).width, c.positive("intermediate_size"), shared(c));
  }

  /**
   * Rows for experts, and for one that all tokens share.
   *
   * @param inner values inside an expert
   * @param shared values inside the shared one; 0 for none
   */
  static WeightNames expertNames(WeightNames names, int width, int inner, int shared) {
    String moe = Names.LAYER + "block_sparse_moe.";
    Experts.fused(names, moe, width, inner).row("moe.router", moe + "router.weight");
    Experts.fused(names, moe + "input_linear.weight", moe + "output_linear.weight", width, inner);
    names.row("moe.router", moe + "router.layer.weight");
    return sharedNames(names, "moe.shared.", shared);
  }

  /** Rows for a block that all tokens share. */
  static WeightNames sharedNames(WeightNames names, String ours, int inner) {
    String shared = Names.LAYER + "shared_mlp.";
    return Names.fusedGate(names, ours, shared + "input_linear.weight", inner)
        .row(ours + "down", shared + "output_linear.weight");
  }

  private static String type(Config c) {
    return c.choice("model_type", "granite", "granite", "granitemoe", "granitemoeshared");
  }

  private static int shared(Config c) {
    return type(c).equals("granitemoeshared") ? c.count("shared_intermediate_size", 1024) : 0;
  }

  /** The best logits first and the softmax then, which is the softmax of all, normalised. */
  static Part experts(Config c, int shared) {
    Part moe =
        Part.of("moe")
            .with("experts", c.positive("num_local_experts", 8))
            .with("top", c.positive("num_experts_per_tok", 2))
            .with("inner", c.positive("intermediate_size"))
            .with("activation", Activations.of(c));
    return shared == 0 ? moe : moe.with("sharedInner", shared);
  }
}
