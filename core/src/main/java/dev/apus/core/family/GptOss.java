package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * gpt-oss: windows in every other layer, attention that may look at nothing (a sink for each head),
 * biases everywhere, and experts whose gates and values are clamped. Published files hold the
 * experts in MXFP4.
 */
final class GptOss implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("GptOssForCausalLM", "gpt_oss");
  }

  @Override
  public List<String> quantizations() {
    return List.of("mxfp4");
  }

  @Override
  public Architecture describe(Config c) {
    if (!c.has("rope_parameters") && !c.has("rope_scaling")) {
      throw c.error("rope_scaling is missing; gpt-oss stretches its context by yarn");
    }
    if (c.has("quantization_config")) {
      // Which matrices are in which format, the tensors say themselves.
      c.section("quantization_config").ignore("modules_to_not_convert");
    }
    // The context before it was stretched, which the rotation's settings say too.
    c.ignore("initial_context_length");
    c.choice("hidden_act", "silu", "silu");
    Decoder d = new Decoder(c, 131_072);
    NormSpec norm = d.rms(1e-5);
    boolean biased = c.flag("attention_bias", true);
    Part attention =
        RopeSettings.read(c, 150_000, 1, d.headDim, d.context)
            .on(d.attention())
            .with("biased", biased)
            .with("outBiased", biased)
            .with("sinks", true);
    List<String> types = d.layerTypes(i -> i % 2 == 0 ? "sliding_attention" : "full_attention");
    int window = c.isNull("sliding_window") ? 0 : c.positive("sliding_window", 128);
    Part moe = experts(c);
    return d.architecture(
        "gpt_oss",
        i -> Decoder.preNorm(norm, d.windowed(attention, types.get(i), window), moe),
        norm);
  }

  private static Part experts(Config c) {
    return Part.of("moe")
        .with("experts", c.positive("num_local_experts"))
        .with("top", c.positive(Decoder.spelled(c, "num_experts_per_tok", "experts_per_token")))
        .with("inner", c.positive("intermediate_size"))
        .with("activation", "quick-gelu")
        .with("limit", c.real("swiglu_limit", 7))
        .with("shift", 1)
        .with("scoresBiased", true)
        .with("expertsBiased", true);
  }

  @Override
  public WeightNames weights(Config c) {
    int width = c.positive("hidden_size");
    int inner = c.positive("intermediate_size");
    String mlp = Names.LAYER + "mlp.";
    WeightNames names =
        Names.llama()
            .row("attention.sinks", Names.LAYER + "self_attn.sinks")
            .row("moe.router", mlp + "router.weight");
    expert(names, "gate", mlp + "experts.gate_up_proj", new Rows(2 * inner, 0, inner, 2), width);
    expert(names, "up", mlp + "experts.gate_up_proj", new Rows(2 * inner, 1, inner, 2), width);
    expert(names, "down", mlp + "experts.down_proj", new Rows(width, 0, width, 1), inner);
    return names;
  }

  /**
   * Which rows of an expert's matrix make a weight.
   *
   * @param of rows that the matrix has
   */
  private record Rows(int of, int from, int count, int step) {

    Conversion gathered() {
      return Conversion.gather(count, row -> from + row * step);
    }
  }

  /** A matrix of each expert: packed, or with its rows as columns. */
  private static void expert(WeightNames names, String ours, String theirs, Rows rows, int inputs) {
    String weight = "moe.expert." + ours;
    names
        .row(
            weight,
            WeightNames.from(List.of(theirs + "_blocks", theirs + "_scales"), Conversion.JOINED)
                .ofExpert(e -> Conversion.mxfp4(e * rows.of + rows.from, rows.count, rows.step)))
        .row(
            weight,
            WeightNames.from(theirs)
                .ofExpert(inputs, 0, inputs)
                .as(Conversion.transposed(inputs, rows.of))
                .as(rows.gathered()))
        .row(
            weight + ".bias",
            WeightNames.from(theirs + "_bias").ofExpert(rows.of, 0, rows.of).as(rows.gathered()));
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufGptOss());
  }
}
