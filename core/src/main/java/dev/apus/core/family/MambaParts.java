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
   * Rows for the tensors of a mixer.
   *
   * @param theirs what their names begin with
   */
  static WeightNames names(WeightNames names, String theirs, Part mamba) {
    int inner = (int) mamba.settings().get("inner");
    int dtRank = (int) mamba.settings().get("dtRank");
    int stateSize = (int) mamba.settings().get("stateSize");
    Source input = WeightNames.from(theirs + "in_proj.weight");
    Source low = WeightNames.from(theirs + "x_proj.weight");
    return names
        .row("mamba.x", input.as(Conversion.rows(0, inner)))
        .row("mamba.z", input.as(Conversion.rows(inner, inner)))
        .row("mamba.conv", theirs + "conv1d.weight")
        .row("mamba.dt.down", low.as(Conversion.rows(0, dtRank)))
        .row("mamba.bc", low.as(Conversion.rows(dtRank, 2 * stateSize)))
        .row("mamba.dt.up", theirs + "dt_proj.weight")
        .row("mamba.dtBias", theirs + "dt_proj.bias")
        .row("mamba.decay", WeightNames.from(theirs + "A_log").as(Conversion.MINUS_EXP))
        .row("mamba.d", theirs + "D")
        .row("mamba.o", theirs + "out_proj.weight");
  }
}
