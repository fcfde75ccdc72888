package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Granite 4: Granite's factors around Mamba-2 layers and a few of attention, most often without
 * positions; experts beside a block that all tokens share, or that block alone.
 */
final class GraniteHybrid implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("GraniteMoeHybridForCausalLM", "granitemoehybrid");
  }

  @Override
  public Architecture describe(Config c) {
    Mamba2Settings.ignoreTraining(c);
    c.ignore("init_method");
    c.choice("normalization_function", "rmsnorm", "rmsnorm");
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    float residual = c.real("residual_multiplier", 1);
    List<String> types = d.layerTypes(i -> "linear_attention");
    Part mamba = Mamba2Settings.layer(c, d, norm);
    Part attention = attention(d);
    Part channel = channel(c);
    return d.architecture(
        "granite-hybrid",
        Granite.embedding(c),
        i ->
            Layer.of(
                Branch.mixer(Mamba2Settings.isMamba(d, types.get(i)) ? mamba : attention, norm)
                    .scaled(residual),
                Branch.channel(channel, norm).scaled(residual)),
        norm,
        Granite.head(c));
  }

  private static Part attention(Decoder d) {
    Config c = d.c;
    Part plain = d.biased(d.attention()).with("scale", c.real("attention_multiplier", 1));
    if (c.choice("position_embedding_type", "nope", "nope", "rope").equals("rope")) {
      return d.rope(plain);
    }
    c.ignore("partial_rotary_factor", "rope_parameters", "rope_scaling", "rope_theta");
    return plain;
  }

  private static Part channel(Config c) {
    if (c.count("num_local_experts", 8) > 0) {
      return Granite.experts(c, shared(c));
    }
    c.ignore("intermediate_size", "num_experts_per_tok");
    return Part.of("gated-mlp")
        .with("inner", shared(c))
        .with("activation", Activations.of(c))
        .with("biased", false);
  }

  private static int shared(Config c) {
    return c.positive("shared_intermediate_size", 1024);
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufGraniteHybrid());
  }

  @Override
  public WeightNames weights(Config c) {
    int width = c.positive("hidden_size");
    WeightNames names = Granite.sharedNames(Names.llama(), "gated-mlp.", shared(c));
    if (c.count("num_local_experts", 8) > 0) {
      Granite.expertNames(names, width, c.positive("intermediate_size"), shared(c));
    }
    return Mamba2Settings.prefixed(c, width).names(names, Names.LAYER + "mamba.");
  }
}
