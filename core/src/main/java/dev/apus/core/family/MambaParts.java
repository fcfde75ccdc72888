package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;

/** Mamba layers: their settings under the names that hybrids share, and their tensors' names. */
final class MambaParts {

  private MambaParts() {}

  /** The settings of a hybrid whose layers are {@code width} values wide. */
  static Part hybrid(Config c, int width) {
    return Part.of("mamba")
        .with("inner", inner(c, "mamba_expand", width))
        .with("stateSize", c.positive("mamba_d_state", 16))
        .with("dtRank", dtRank(c, "mamba_dt_rank", width))
        .with("taps", c.positive("mamba_d_conv", 4))
        .with("biased", c.flag("mamba_proj_bias", false))
        .with("convBiased", c.flag("mamba_conv_bias", true));
  }

  /** {@code expand} times the width. */
  static int inner(Config c, String expand, int width) {
    int factor = c.positive(expand, 2);
    if ((long) factor * width > Integer.MAX_VALUE) {
      throw c.errorAt(expand, "%s=%d of %d values are too many to compute", expand, factor, width);
    }
    return factor * width;
  }

  /** A rank, which may be {@code "auto"}: a sixteenth of the width. */
  static int dtRank(Config c, String key, int width) {
    boolean auto = !c.has(key) || "auto".equals(c.raw(key));
    return auto ? Math.ceilDiv(width, 16) : c.positive(key);
  }

  /**
   * Rows for the tensors around the mixers of a plain stack.
   *
   * @param embedding what the embedding is called
   * @param layer what the names of a layer's tensors begin with
   */
  static WeightNames backbone(String embedding, String layer) {
    return new WeightNames()
        .row("embedding", "backbone." + embedding + ".weight")
        .row("mixer.norm", layer + "norm.weight")
        .row("norm", "backbone.norm_f.weight")
        .row("head", "lm_head.weight");
  }

  /**
   * Rows for the tensors of a mixer.
   *
   * @param theirs what their names begin with
   */
  static WeightNames names(WeightNames names, String theirs, Part mamba) {
    return split(names, mamba, theirs + "in_proj.weight", theirs + "x_proj.weight")
        .row("mamba.conv", theirs + "conv1d.weight")
        .row("mamba.dt.up", theirs + "dt_proj.weight")
        .row("mamba.dtBias", theirs + "dt_proj.bias")
        .row("mamba.decay", WeightNames.from(theirs + "A_log").as(Conversion.MINUS_EXP))
        .row("mamba.d", theirs + "D")
        .row("mamba.o", theirs + "out_proj.weight");
  }

  /** Rows for the tensors of a mixer in GGUF files, which hold A itself. */
  static WeightNames gguf(WeightNames names, Part mamba) {
    String theirs = GgufNames.BLOCK + "ssm_";
    return split(names, mamba, theirs + "in.weight", theirs + "x.weight")
        .row("mamba.conv", theirs + "conv1d.weight")
        .row("mamba.dt.up", theirs + "dt.weight")
        .row("mamba.dtBias", theirs + "dt.bias")
        .row("mamba.decay", theirs + "a")
        .row("mamba.d", theirs + "d")
        .row("mamba.o", theirs + "out.weight")
        .row("mamba.dt.norm", theirs + "dt_norm.weight")
        .row("mamba.bc.norm", both(mamba, theirs + "b_norm.weight", theirs + "c_norm.weight"));
  }

  /** The norms of B and C as one weight. */
  static Source both(Part mamba, String b, String c) {
    int stateSize = (int) mamba.settings().get("stateSize");
    return WeightNames.joined(new int[] {stateSize, stateSize}, b, c);
  }

  /** Rows for two tensors that hold several weights each. */
  private static WeightNames split(WeightNames names, Part mamba, String input, String low) {
    int inner = (int) mamba.settings().get("inner");
    int dtRank = (int) mamba.settings().get("dtRank");
    int stateSize = (int) mamba.settings().get("stateSize");
    return names
        .row("mamba.x", WeightNames.from(input).as(Conversion.rows(0, inner)))
        .row("mamba.z", WeightNames.from(input).as(Conversion.rows(inner, inner)))
        .row("mamba.dt.down", WeightNames.from(low).as(Conversion.rows(0, dtRank)))
        .row("mamba.bc", WeightNames.from(low).as(Conversion.rows(dtRank, 2 * stateSize)));
  }
}
