package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.List;

/**
 * Zamba: layers of Mamba with several heads, and one transformer block that all hybrid layers
 * share.
 */
final class Zamba implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("ZambaForCausalLM", "zamba");
  }

  @Override
  public Architecture describe(Config c) {
    c.ignore("num_logits_to_keep", "use_mamba_kernels");
    c.ignore("time_step_floor", "time_step_max", "time_step_min");
    c.choice("hidden_mamba_act", "silu", "silu", "swish");
    ZambaLayers layers = layers(c);
    NormSpec norm = layers.d().rms(1e-5);
    return layers.architecture(
        "zamba",
        layers.attention(),
        Part.of("gated-mlp")
            .with("inner", c.positive("intermediate_size"))
            .with("activation", Activations.of(c, "hidden_act", "gelu")),
        mixer(c),
        norm);
  }

  /** Where no kinds of layers are named, every so many of those after the third are hybrid. */
  private static ZambaLayers layers(Config c) {
    int period = c.positive("attn_layer_period", 6);
    int offset = c.count("attn_layer_offset", 4);
    return ZambaLayers.read(
        c,
        ZambaLayers.types(
            c.positive("num_hidden_layers"), i -> i == 2 || i > 2 && (i - 3) % period == offset),
        1);
  }

  private static Part mixer(Config c) {
    Part mixer = MambaParts.hybrid(c, c.positive("hidden_size"));
    int heads = c.positive("n_mamba_heads", 2);
    int inner = (int) mixer.settings().get("inner");
    if (inner % heads != 0) {
      throw c.errorAt(
          "n_mamba_heads",
          "n_mamba_heads=%d do not divide the %d values of a Mamba layer",
          heads,
          inner);
    }
    return mixer.with("heads", heads);
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = layers(c).names("shared_transf");
    String feedForward = Names.LAYER + "shared_transf.feed_forward.";
    return mixer(
        Names.gatedMlp(names, "shared.gated-mlp.", feedForward),
        Names.LAYER + "{decoder}mamba.",
        mixer(c));
  }

  /** Inputs and gates take turns; what each head has for itself lies in one tensor for all. */
  private static WeightNames mixer(WeightNames names, String theirs, Part mixer) {
    MambaParts.names(names, theirs, mixer);
    int inner = (int) mixer.settings().get("inner");
    int heads = (int) mixer.settings().get("heads");
    int rank = (int) mixer.settings().get("dtRank");
    int both = 2 * (int) mixer.settings().get("stateSize");
    String ours = heads == 1 ? "mamba." : "mamba.head.";
    Source input = WeightNames.from(theirs + "in_proj.weight");
    Source low = WeightNames.from(theirs + "x_proj_weight");
    Source up = WeightNames.from(theirs + "dt_proj_weight");
    return names
        .row("mamba.x", input.as(Conversion.ofEachGroup(inner, 2, 0, 1)))
        .row("mamba.z", input.as(Conversion.ofEachGroup(inner, 2, 1, 1)))
        .row(ours + "dt.down", ofHead(low, heads, rank + both, 0, rank))
        .row(ours + "bc", ofHead(low, heads, rank + both, rank, both))
        .row(ours + "dt.up", ofHead(up, heads, inner / heads, 0, inner / heads))
        .row("mamba.dtBias", theirs + "dt_proj_bias");
  }

  private static Source ofHead(Source all, int heads, int stride, int from, int count) {
    return heads == 1 ? all.as(Conversion.rows(from, count)) : all.ofExpert(stride, from, count);
  }
}
