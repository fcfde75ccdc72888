package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.Collections;
import java.util.List;

/**
 * Mamba and Mamba-2 as their authors publish them. Their configs name no family; {@code ssm_cfg}
 * holds the settings of the mixer that differ from its defaults.
 *
 * @see <a href="https://github.com/state-spaces/mamba">state-spaces/mamba</a>
 */
final class OriginalMamba implements ModelFamily {

  private static final String LAYER = "backbone.layers.{i}.";

  @Override
  public List<String> names() {
    return List.of("MambaLMHeadModel");
  }

  @Override
  public boolean recognizes(Config c) {
    return c.has("d_model") && c.has("n_layer") && c.has("ssm_cfg");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = shape(c);
    NormSpec norm = NormSpec.rms(Decoder.epsilon(c, "norm_epsilon", 1e-5));
    Decoder.only(c, "rms_norm", true);
    c.ignore("fused_add_norm", "residual_in_fp32");
    onlyMixers(c);
    Layer layer = Layer.of(Branch.mixer(mixer(c, d.width), norm));
    return new Architecture(
        isMamba2(c) ? "mamba2" : "mamba",
        vocabulary(c),
        d.width,
        d.context,
        Embedding.PLAIN,
        Collections.nCopies(d.layers, layer),
        norm,
        Head.of(c.flag("tie_embeddings", true)));
  }

  private static Decoder shape(Config c) {
    return new Decoder(c, c.positive("d_model"), c.positive("n_layer"), 1, Mamba.CONTEXT);
  }

  /** The tokens, and as many rows that stand for none as make them a multiple. */
  private static int vocabulary(Config c) {
    int multiple = c.positive("pad_vocab_size_multiple", 8);
    long padded = (long) Math.ceilDiv(c.positive("vocab_size"), multiple) * multiple;
    if (padded > Integer.MAX_VALUE) {
      throw c.errorAt(
          "pad_vocab_size_multiple",
          "vocab_size=%d rounded up to a multiple of %d is more than 2^31 − 1",
          c.positive("vocab_size"),
          multiple);
    }
    return (int) padded;
  }

  /** Layers of attention and blocks beside the mixers, which no published model has. */
  private static void onlyMixers(Config c) {
    if (c.has("attn_layer_idx") && !c.integers("attn_layer_idx").isEmpty()) {
      throw c.errorAt(
          "attn_layer_idx", "attn_layer_idx=%s is not supported", c.raw("attn_layer_idx"));
    }
    if (c.count("d_intermediate", 0) > 0) {
      throw c.errorAt(
          "d_intermediate", "d_intermediate=%d is not supported", c.count("d_intermediate"));
    }
    c.ignore("attn_cfg");
  }

  private static boolean isMamba2(Config c) {
    return c.section("ssm_cfg").choice("layer", "Mamba1", "Mamba1", "Mamba2").equals("Mamba2");
  }

  private static Part mixer(Config c, int width) {
    Config ssm = c.section("ssm_cfg");
    if (isMamba2(c)) {
      return OriginalMamba2.part(ssm, width);
    }
    ssm.ignore("dt_init", "dt_init_floor", "dt_max", "dt_min", "dt_scale", "use_fast_path");
    return Part.of("mamba")
        .with("inner", MambaParts.inner(ssm, "expand", width))
        .with("stateSize", ssm.positive("d_state", 16))
        .with("dtRank", MambaParts.dtRank(ssm, "dt_rank", width))
        .with("taps", ssm.positive("d_conv", 4))
        .with("biased", ssm.flag("bias", false))
        .with("convBiased", ssm.flag("conv_bias", true));
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = MambaParts.backbone("embedding", LAYER);
    String mixer = LAYER + "mixer.";
    int width = shape(c).width;
    return isMamba2(c)
        ? OriginalMamba2.shape(c.section("ssm_cfg"), width).names(names, mixer)
        : MambaParts.names(names, mixer, mixer(c, width));
  }
}
