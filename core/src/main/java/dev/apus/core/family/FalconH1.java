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
import java.util.stream.IntStream;

/**
 * Falcon-H1: each layer has attention and Mamba-2 side by side behind one norm.
 *
 * <p>It has a factor on nearly everything. Those on what parts read are in the weights of the norms
 * before them, those on what they give are the branches' own: so no matrix has to be multiplied.
 * The factor on gates comes with one norm and both of a block's inputs; what is too much of it is
 * taken from the branch again.
 */
final class FalconH1 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("FalconH1ForCausalLM", "falcon_h1");
  }

  @Override
  public Architecture describe(Config c) {
    c.ignore(
        "mlp_expansion_factor",
        "num_logits_to_keep",
        "time_step_floor",
        "time_step_max",
        "time_step_min",
        "time_step_rank",
        "use_mamba_kernels");
    Decoder.only(c, "mamba_use_mlp", true);
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-5);
    Part attention =
        d.rope(d.biased(d.attention()))
            .with("scale", (float) (c.real("key_multiplier", 1) / Math.sqrt(d.headDim)));
    double gate = gateMultiplier(c);
    if (gate != 1 && c.flag("mlp_bias", false)) {
      throw c.errorAt("mlp_bias", "mlp_bias=true with a factor on gates is not supported");
    }
    Step mixers =
        new Step(
            List.of(
                Branch.mixer(mamba(c, d), norm).scaled(c.real("ssm_out_multiplier", 1)),
                Branch.mixer(attention, norm).scaled(c.real("attention_out_multiplier", 1))));
    Step mlp =
        new Step(
            List.of(
                Branch.channel(d.gatedMlp(), norm)
                    .scaled((float) (mlpMultipliers(c).get(1) / gate))));
    Layer layer = new Layer(List.of(mixers, mlp));
    return d.architecture(
        "falcon-h1",
        new Embedding(c.real("embedding_multiplier", 1), 0, null),
        i -> layer,
        norm,
        new Head(c.flag("tie_word_embeddings", false), false, c.real("lm_head_multiplier", 1), 0));
  }

  private static Part mamba(Config c, Decoder d) {
    boolean biased = c.flag("mamba_proj_bias", false);
    Part part =
        Mamba2Settings.limited(shape(c).part(), c)
            .with("activation", Activations.of(c))
            .with("biased", biased)
            .with("outBiased", c.flag("projectors_bias", false))
            .with("convBiased", c.flag("mamba_conv_bias", true));
    double input = c.real("ssm_in_multiplier", 1) / attentionIn(c);
    if (input != 1 && biased) {
      throw c.errorAt(
          "mamba_proj_bias",
          "mamba_proj_bias=true needs ssm_in_multiplier and attention_in_multiplier to be equal");
    }
    List<Double> scales =
        factors(c, "ssm_multipliers", 5).stream().map(scale -> input * scale).toList();
    boolean gateFirst = !c.flag("mamba_norm_before_gate", true);
    Part scaled = scales.stream().allMatch(s -> s == 1) ? part : part.with("scales", scales);
    return c.flag("mamba_rms_norm", false)
        ? Mamba2Settings.normed(scaled, d.rms(1e-5), "group", gateFirst)
        : scaled;
  }

  private static Mamba2Settings shape(Config c) {
    return c.has("mamba_d_ssm")
        ? Mamba2Settings.prefixed(c, c.positive("mamba_d_ssm"), "mamba_d_ssm")
        : Mamba2Settings.prefixed(c, c.positive("hidden_size"));
  }

  private static List<Double> mlpMultipliers(Config c) {
    return factors(c, "mlp_multipliers", 2);
  }

  private static List<Double> factors(Config c, String key, int count) {
    List<Double> factors =
        c.has(key) ? c.numbers(key) : IntStream.range(0, count).mapToObj(i -> 1.0).toList();
    if (factors.size() != count) {
      throw c.errorAt(key, "%s must be %d numbers, found %s", key, count, factors);
    }
    return factors;
  }

  private static double gateMultiplier(Config c) {
    return divisor(c, "mlp_multipliers", mlpMultipliers(c).get(0));
  }

  private static double attentionIn(Config c) {
    return divisor(c, "attention_in_multiplier", c.number("attention_in_multiplier", 1));
  }

  private static double divisor(Config c, String key, double factor) {
    if (!(factor > 0 && factor < Double.POSITIVE_INFINITY)) {
      throw c.errorAt(key, "%s: a factor of %s is not supported; it must be above 0", key, factor);
    }
    return factor;
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names =
        Names.withoutNorms()
            .row("norm", "model.final_layernorm.weight")
            .row("mixer.norm", scaled("input_layernorm.weight", attentionIn(c)))
            .row("channel.norm", scaled("pre_ff_layernorm.weight", gateMultiplier(c)));
    Names.gatedMlp(names, "gated-mlp.", Names.LAYER + "feed_forward.");
    return shape(c).names(names, Names.LAYER + "mamba.");
  }

  private static WeightNames.Source scaled(String norm, double factor) {
    WeightNames.Source stored = WeightNames.from(Names.LAYER + norm);
    return factor == 1 ? stored : stored.as(Conversion.scaled((float) factor));
  }
}
