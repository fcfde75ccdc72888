package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Falcon-H1: each layer has attention and Mamba-2 side by side behind one norm.
 *
 * <p>It has a factor on nearly everything. Those on what parts read are in the weights of the norms
 * before them, those on what they give are the branches' own: so no matrix has to be multiplied.
 * The factor on the gates of the block comes to its other input by the norm, too; that is taken
 * from what the block gives.
 */
final class FalconH1 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("FalconH1ForCausalLM", "falcon_h1");
  }

  @Override
  public Architecture describe(Config c) {
    Mamba2Settings.ignoreTraining(c);
    c.ignore("mlp_expansion_factor");
    Decoder.only(c, "mamba_use_mlp", true);
    FalconFactors factors = FalconFactors.read(c);
    if (factors.gate() != 1) {
      Decoder.only(c, "mlp_bias", false);
    }
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-5);
    float scale = (float) (factors.key() / Math.sqrt(d.headDim));
    Part attention = d.rope(d.biased(d.attention())).with("scale", scale);
    Step mixers =
        new Step(
            List.of(
                Branch.mixer(mamba(c, d, factors), norm).scaled((float) factors.mambaOut()),
                Branch.mixer(attention, norm).scaled((float) factors.attentionOut())));
    float out = (float) (factors.down() / factors.gate());
    Step mlp = new Step(List.of(Branch.channel(d.gatedMlp(), norm).scaled(out)));
    Layer layer = new Layer(List.of(mixers, mlp));
    return d.architecture(
        "falcon-h1",
        new Embedding(c.real("embedding_multiplier", 1), 0, null),
        i -> layer,
        norm,
        new Head(c.flag("tie_word_embeddings", false), false, c.real("lm_head_multiplier", 1), 0));
  }

  private static Part mamba(Config c, Decoder d, FalconFactors factors) {
    if (factors.mambaIn() != factors.attentionIn()) {
      Decoder.only(c, "mamba_proj_bias", false);
    }
    Part part =
        shape(c)
            .part(
                Activations.of(c),
                c.flag("mamba_proj_bias", false),
                c.flag("projectors_bias", false),
                c.flag("mamba_conv_bias", true));
    Part limited = Mamba2Settings.limited(part, c);
    List<Double> scales = factors.mambaScales();
    Part scaled =
        scales.stream().allMatch(scale -> scale == 1) ? limited : limited.with("scales", scales);
    boolean afterGate = !c.flag("mamba_norm_before_gate", true);
    return c.flag("mamba_rms_norm", false)
        ? Mamba2Settings.normed(scaled, d.rms(1e-5), "group", afterGate)
        : scaled;
  }

  static Mamba2Settings shape(Config c) {
    return c.has("mamba_d_ssm")
        ? Mamba2Settings.prefixed(c, c.positive("mamba_d_ssm"), "mamba_d_ssm")
        : Mamba2Settings.prefixed(c, c.positive("hidden_size"));
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufFalconH1());
  }

  @Override
  public WeightNames weights(Config c) {
    FalconFactors factors = FalconFactors.read(c);
    WeightNames names =
        Names.withoutNorms()
            .row("norm", "model.final_layernorm.weight")
            .row("mixer.norm", scaled("input_layernorm.weight", factors.attentionIn()))
            .row("channel.norm", scaled("pre_ff_layernorm.weight", factors.gate()));
    Names.gatedMlp(names, "gated-mlp.", Names.LAYER + "feed_forward.");
    return shape(c).names(names, Names.LAYER + "mamba.");
  }

  private static WeightNames.Source scaled(String norm, double factor) {
    WeightNames.Source stored = WeightNames.from(Names.LAYER + norm);
    return factor == 1 ? stored : stored.as(Conversion.scaled((float) factor));
  }
}
