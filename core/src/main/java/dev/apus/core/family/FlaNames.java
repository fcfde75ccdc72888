package dev.apus.core.family;

import dev.apus.core.weight.WeightNames;
import java.util.regex.Pattern;

/** Rows of name tables that models of the library flash-linear-attention share. */
final class FlaNames {

  static final String MIXER = Names.LAYER + "attn.";

  private FlaNames() {}

  /** All but the mixer's own weights. */
  static WeightNames outer() {
    WeightNames names =
        new WeightNames()
            .row("embedding", "model.embeddings.weight")
            .row("head", "lm_head.weight")
            .row("norm", "model.norm.weight")
            .row("mixer.norm", Names.LAYER + "attn_norm.weight")
            .row("channel.norm", Names.LAYER + "mlp_norm.weight")
            .ignore(".*\\.rotary\\.inv_freq");
    return Names.gatedMlp(projections(names, "attention."), "gated-mlp.", Names.LAYER + "mlp.");
  }

  /** Rows of queries, keys, values and outputs. */
  static WeightNames projections(WeightNames names, String ours) {
    for (String p : new String[] {"q", "k", "v", "o"}) {
      names
          .row(ours + p, MIXER + p + "_proj.weight")
          .row(ours + p + ".bias", MIXER + p + "_proj.bias");
    }
    return names;
  }

  /**
   * The one table of which all layers but the first have the bounds of their forget gates. The
   * first may be the only one that is not attention.
   */
  static WeightNames bounds(WeightNames names, String ours) {
    String table = "model.lower_bounds";
    return names.row(ours + "bounds", table).ignore(Pattern.quote(table));
  }

  /**
   * Rows of a low rank's two matrices, and of its bias.
   *
   * @param stored what the names in the file begin with
   */
  static WeightNames lowRank(WeightNames names, String ours, String stored) {
    return names.row(ours + ".latent", stored + "0.weight").row(ours, stored + "1.weight");
  }
}
