package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** HGRN of flash-linear-attention: gated recurrences whose later layers forget less. */
final class FlaHgrn implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("HGRNForCausalLM", "hgrn");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    // The reference has no heads.
    c.ignore("num_heads");
    int inner = inner(d);
    boolean bounded = c.flag("use_lower_bound", true);
    if (bounded && inner != d.width) {
      throw c.errorAt(
          "expand_ratio",
          "expand_ratio=%s makes %d channels, but lower_bounds has hidden_size=%d; needed:"
              + " use_lower_bound=false",
          c.raw("expand_ratio"),
          inner,
          d.width);
    }
    Part plain =
        Part.of("gated-recurrence")
            .with("inner", inner)
            .with("gates", "forget")
            .with("candidate", "silu")
            .with("taps", d.taps(false))
            .with("norm", d.norm.toMap())
            .with("gate", "silu");
    return d.architecture("hgrn", layer -> bounded ? d.bounded(plain, layer) : plain);
  }

  private static int inner(FlaDecoder d) {
    return d.expanded("expand_ratio", 1);
  }

  @Override
  public WeightNames weights(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    String ours = "gated-recurrence.";
    String mixer = FlaNames.MIXER;
    int inner = inner(d);
    int[] rows = {inner, inner};
    WeightNames names = FlaNames.outer().row(ours + "norm", mixer + "g_norm.weight");
    for (String[] pair : new String[][] {{"x", "i"}, {"f", "f"}, {"gate", "g"}, {"o", "o"}}) {
      names.row(ours + pair[0], mixer + pair[1] + "_proj.weight");
    }
    names.row(
        ours + "conv",
        WeightNames.joined(rows, mixer + "i_conv1d.weight", mixer + "f_conv1d.weight"));
    return FlaNames.bounds(names, ours);
  }
}
