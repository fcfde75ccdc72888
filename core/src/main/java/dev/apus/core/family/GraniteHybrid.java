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
    int shared = c.positive("shared_intermediate_size", 1024);
    int experts = c.count("num_local_experts", 8);
    if (experts == 0) {
      c.ignore("intermediate_size", "num_experts_per_tok");
      return Part.of("gated-mlp")
          .with("inner", shared)
          .with("activation", Activations.of(c))
          .with("biased", false);
    }
    return Part.of("moe")
        .with("experts", experts)
        .with("top", c.positive("num_experts_per_tok", 2))
        .with("inner", c.positive("intermediate_size"))
        .with("activation", Activations.of(c))
        .with("sharedInner", shared);
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = Names.llama();
    int width = c.positive("hidden_size");
    String shared = Names.LAYER + "shared_mlp.";
    for (String block : new String[] {"gated-mlp.", "moe.shared."}) {
      Names.fusedGate(
          names,
          block,
          shared + "input_linear.weight",
          c.positive("shared_intermediate_size", 1024));
      names.row(block + "down", shared + "output_linear.weight");
    }
    if (c.has("intermediate_size")) {
      String moe = Names.LAYER + "block_sparse_moe.";
      Experts.fused(
          names.row("moe.router", moe + "router.layer.weight"),
          moe + "input_linear.weight",
          moe + "output_linear.weight",
          width,
          c.positive("intermediate_size"));
    }
    return Mamba2Settings.prefixed(c, width).names(names, Names.LAYER + "mamba.");
  }
}
