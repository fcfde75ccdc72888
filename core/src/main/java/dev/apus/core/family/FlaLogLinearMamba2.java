package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Mamba-2 with log-linear attention, and a gated block in each layer, of flash-linear-attention.
 */
final class FlaLogLinearMamba2 implements ModelFamily {

  /** The reference has no setting for it. */
  private static final int LEVELS = 15;

  /** What so many levels hold. */
  private static final int CONTEXT = 1 << (LEVELS - 1);

  /** The block's size is no setting either. */
  private static final double MLP_RATIO = 4;

  @Override
  public List<String> names() {
    return List.of("LogLinearMamba2ForCausalLM", "log_linear_mamba2");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c, CONTEXT, 1e-5);
    if (d.decoder.context > CONTEXT) {
      throw c.errorAt(
          "max_position_embeddings",
          "max_position_embeddings=%d is more than the %d tokens that %d levels hold",
          d.decoder.context,
          CONTEXT,
          LEVELS);
    }
    Mamba2Settings.ignoreTraining(c);
    c.ignore("A_init_range", "conv_init", "dt_init_floor", "dt_max", "dt_min");
    c.choice("hidden_act", "silu", "silu", "swish");
    Decoder.only(c, "D_has_hdim", false);
    boolean biased = c.flag("use_bias", false);
    Part mixer =
        Mamba2.shape(c)
            .part("silu", biased, biased, c.flag("use_conv_bias", true))
            .with("levels", LEVELS);
    mixer = Mamba2Settings.limited(mixer, c, "dt_limit", 0);
    boolean afterGate = !c.flag("norm_before_gate", false);
    if (c.flag("rmsnorm", true)) {
      mixer = Mamba2Settings.normed(mixer, d.norm, "group", afterGate);
    }
    return d.architecture("log-linear-mamba2", mixer, d.gatedMlp(MLP_RATIO));
  }

  @Override
  public WeightNames weights(Config c) {
    String layer = "backbone.layers.{i}.";
    String mixer = layer + "mixer.";
    Mamba2Settings shape = Mamba2.shape(c);
    WeightNames names =
        new WeightNames()
            .row("embedding", "backbone.embeddings.weight")
            .row("head", "lm_head.weight")
            .row("norm", "backbone.norm_f.weight")
            .row("mixer.norm", layer + "mixer_norm.weight")
            .row("channel.norm", layer + "mlp_norm.weight");
    return Names.gatedMlp(shape.names(names, mixer), "gated-mlp.", layer + "mlp.")
        .row(
            "mamba2.level",
            WeightNames.from(mixer + "in_proj.weight")
                .as(Conversion.rows(shape.projected(), shape.heads() * LEVELS)))
        .row("mamba2.levels", mixer + "L");
  }
}
