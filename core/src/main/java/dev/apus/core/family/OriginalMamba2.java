package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;

/** Mamba-2's mixer in the words of its authors, whose gated norm normalises groups. */
final class OriginalMamba2 {

  /** No setting changes it. */
  private static final double EPSILON = 1e-5;

  private OriginalMamba2() {}

  static Part part(Config ssm, int width) {
    ssm.ignore("A_init_range", "chunk_size", "conv_init", "dt_init_floor", "dt_max", "dt_min");
    ssm.ignore("use_mem_eff_path");
    Decoder.only(ssm, "D_has_hdim", false);
    ssm.choice("activation", "silu", "silu", "swish");
    boolean biased = ssm.flag("bias", false);
    boolean convBiased = ssm.flag("conv_bias", true);
    Part plain = shape(ssm, width).part("silu", biased, biased, convBiased);
    Part part = Mamba2Settings.limited(plain, ssm, "dt_limit", 0);
    boolean afterGate = !ssm.flag("norm_before_gate", false);
    return ssm.flag("rmsnorm", true)
        ? Mamba2Settings.normed(part, NormSpec.rms(EPSILON), "group", afterGate)
        : part;
  }

  static Mamba2Settings shape(Config ssm, int width) {
    int inner = MambaParts.inner(ssm, "expand", width);
    int headDim = ssm.positive("headdim", 64);
    return new Mamba2Settings(
            Math.max(1, inner / headDim),
            headDim,
            ssm.positive("ngroups", 1),
            ssm.positive("d_state", 128),
            ssm.positive("d_conv", 4))
        .filling(ssm, inner, "headdim");
  }
}
