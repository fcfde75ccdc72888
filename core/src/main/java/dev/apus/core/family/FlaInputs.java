package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;

/**
 * The queries, keys and values of those models of flash-linear-attention whose memories add: the
 * settings and the names that they share.
 */
final class FlaInputs {

  private FlaInputs() {}

  /**
   * Heads of which several may share keys and values.
   *
   * @param type the mixer
   * @param absent how many heads there are if the config does not say
   * @param keys how many keys there are by the width, if it does not say; likewise {@code values}
   */
  static Part ofHeads(FlaDecoder d, String type, int absent, double keys, double values) {
    Config c = d.c;
    int heads = c.positive("num_heads", absent);
    int kvHeads = c.has("num_kv_heads") ? heads / c.share("num_heads", "num_kv_heads") : heads;
    Part part =
        Part.of(type)
            .with("heads", heads)
            .with("kvHeads", kvHeads)
            .with("keyDim", d.each("keys", d.expanded("expand_k", keys), heads))
            .with("valueDim", d.each("values", d.expanded("expand_v", values), heads));
    return convolved(part, d, "silu");
  }

  /**
   * Queries, keys and values that are convolved if the config says so.
   *
   * @param activation of what was convolved
   */
  static Part convolved(Part part, FlaDecoder d, String activation) {
    int taps = d.taps(false);
    Part convolution = Part.of("").with("taps", taps).with("activation", activation);
    return taps == 0 ? part : part.with("convolution", convolution.settings());
  }

  /** A norm of each {@code head}, or of a whole {@code row}. */
  static Part normed(Part part, NormSpec norm, String over) {
    return Decoder.normed(part, norm, over, false);
  }

  /**
   * Rows of the matrices and the convolutions, and of what follows the memories.
   *
   * @param stored what the file calls queries, keys and values, one letter each
   */
  static WeightNames names(String ours, String stored) {
    String mixer = FlaNames.MIXER;
    WeightNames names = FlaNames.outer();
    for (int i = 0; i < stored.length(); i++) {
      String to = ours + "qkv".charAt(i);
      String from = mixer + stored.charAt(i);
      names.row(to, from + "_proj.weight").row(to + ".conv", from + "_conv1d.weight");
    }
    return names
        .row(ours + "o", mixer + "o_proj.weight")
        .row(ours + "norm", mixer + "g_norm.weight")
        .row(ours + "gate", mixer + "g_proj.weight");
  }
}
