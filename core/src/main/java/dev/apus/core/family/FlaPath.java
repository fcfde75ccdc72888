package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** PaTH attention of flash-linear-attention: positions are maps that tokens make. */
final class FlaPath implements ModelFamily {

  /** What no config states. */
  private static final int LATENT = 32;

  private static final int TAPS = 3;

  @Override
  public List<String> names() {
    return List.of("PaTHAttentionForCausalLM", "path_attn");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    Part attention = d.heads(c);
    Part part =
        Part.of("path-attention")
            .with("heads", attention.settings().get("heads"))
            .with("kvHeads", attention.settings().get("kvHeads"))
            .with("headDim", attention.settings().get("headDim"))
            .with("taps", c.flag("use_w_shortconv", true) ? TAPS : 0)
            .with("latent", latent(c))
            .with("forgets", c.flag("use_forget_gate", false));
    return d.architecture("path-attention", part);
  }

  private static int latent(Config c) {
    return c.flag("use_low_rank_w", true) ? LATENT : 0;
  }

  @Override
  public WeightNames weights(Config c) {
    String ours = "path-attention.";
    String stored = FlaNames.MIXER;
    WeightNames names = FlaNames.outer();
    for (String p : List.of("q", "k", "v", "o", "w")) {
      names.row(ours + p, stored + p + "_proj.weight");
    }
    if (latent(c) > 0) {
      FlaNames.lowRank(names, ours + "w", stored + "w_proj.");
    }
    return names
        .row(ours + "conv", stored + "w_conv1d.weight")
        .row(ours + "b", stored + "bt_proj.weight")
        .row(ours + "b.bias", stored + "bt_proj.bias")
        .row(ours + "f", stored + "g_proj.weight")
        .row(ours + "f.bias", stored + "g_proj.bias");
  }
}
