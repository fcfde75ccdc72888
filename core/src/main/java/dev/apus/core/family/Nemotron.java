package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Nemotron and Minitron: layer norms stored as the distance from one, a plain squared-ReLU MLP. */
final class Nemotron implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("NemotronForCausalLM", "nemotron");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    if (c.positive("kv_channels", d.headDim) != d.headDim) {
      throw c.errorAt(
          "kv_channels",
          "kv_channels=%d is not the size of a head, %d; set head_dim",
          c.positive("kv_channels"),
          d.headDim);
    }
    NormSpec norm = Decoder.layerNorm(c, Decoder.spelled(c, "norm_eps", "layer_norm_eps"), true);
    Part attention =
        RopeSettings.read(c, 10_000, 0.5, d.headDim, d.context).on(d.biased(d.attention()));
    Part mlp =
        Decoder.mlp(
            c.positive("intermediate_size"),
            Activations.of(c, "hidden_act", "relu2"),
            c.flag("mlp_bias", false));
    return d.architecture("nemotron", i -> Decoder.preNorm(norm, attention, mlp), norm);
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = Names.withoutNorms();
    fromOne(names, "mixer.norm", Names.LAYER + "input_layernorm.");
    fromOne(names, "channel.norm", Names.LAYER + "post_attention_layernorm.");
    fromOne(names, "norm", "model.norm.");
    return Names.mlp(
        names, Names.LAYER + "mlp.up_proj.weight", Names.LAYER + "mlp.down_proj.weight");
  }

  /** The bias has a row of its own: it is stored as it is. */
  private static void fromOne(WeightNames names, String ours, String theirs) {
    names
        .row(ours, WeightNames.from(theirs + "weight").as(Conversion.PLUS_ONE))
        .row(ours + ".bias", theirs + "bias");
  }
}
