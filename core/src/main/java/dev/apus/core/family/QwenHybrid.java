package dev.apus.core.family;

import static dev.apus.core.weight.Conversion.ofEachGroup;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.List;

/**
 * Qwen3-Next and Qwen 3.5: three Gated DeltaNet layers to one of gated attention, dense or with
 * experts. Qwen3-Next interleaves the projections of a DeltaNet layer by key head, Qwen 3.5 does
 * not.
 */
final class QwenHybrid implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of(
        "Qwen3NextForCausalLM", "qwen3_next",
        "Qwen3_5ForCausalLM", "qwen3_5_text",
        "Qwen3_5MoeForCausalLM", "qwen3_5_moe_text",
        "Qwen3_5ForConditionalGeneration", "qwen3_5",
        "Qwen3_5MoeForConditionalGeneration", "qwen3_5_moe");
  }

  @Override
  public Architecture describe(Config config) {
    Config c = TextConfig.of(config);
    Decoder.only(c, "use_sliding_window", false);
    Decoder.only(c, "attn_output_gate", true);
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    int interval = c.positive("full_attention_interval", 4);
    List<String> types =
        d.layerTypes(i -> (i + 1) % interval == 0 ? "full_attention" : "linear_attention");
    Part attention =
        d.rope(Decoder.normed(d.biased(d.attention()).with("gated", true), norm, "head", false));
    Part delta = DeltaSettings.read(c, d).with("epsilon", norm.epsilon());
    Experts experts = Experts.read(d);
    boolean tied = c.flag("tie_word_embeddings", config.flag("tie_word_embeddings", false));
    return d.architecture(
        c.word("model_type", "qwen3_next").replace("_text", ""),
        Embedding.PLAIN,
        i -> {
          Part mixer = DeltaSettings.isLinear(d, types.get(i)) ? delta : attention;
          return Decoder.preNorm(norm, mixer, experts.channel(i));
        },
        norm,
        Head.of(tied));
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufQwenHybrid());
  }

  @Override
  public WeightNames weights(Config config) {
    Config c = TextConfig.of(config);
    Decoder d = new Decoder(c);
    WeightNames names =
        Names.withoutNorms()
            .prefix("model.", "model.language_model.")
            .ignore("mtp\\..*|model\\.visual\\..*");
    if (c.has("moe_intermediate_size")) {
      Experts.fused(names, d.width, c.positive("moe_intermediate_size"));
    }
    Experts.names(names);
    Source queries = WeightNames.from(Names.LAYER + "self_attn.q_proj.weight");
    int dim = d.headDim;
    names
        .row("attention.q", queries.as(ofEachGroup(d.heads, 2 * dim, 0, dim)))
        .row("attention.gate", queries.as(ofEachGroup(d.heads, 2 * dim, dim, dim)));
    plusOne(names, "norm", "model.norm");
    plusOne(names, "mixer.norm", Names.LAYER + "input_layernorm");
    plusOne(names, "channel.norm", Names.LAYER + "post_attention_layernorm");
    plusOne(names, "attention.q.norm", Names.LAYER + "self_attn.q_norm");
    plusOne(names, "attention.k.norm", Names.LAYER + "self_attn.k_norm");
    return delta(names, c, d);
  }

  private static void plusOne(WeightNames names, String ours, String theirs) {
    names.row(ours, WeightNames.from(theirs + ".weight").as(Conversion.PLUS_ONE));
  }

  /** Both layouts are read; the type's own is the likelier. */
  private static WeightNames delta(WeightNames names, Config c, Decoder d) {
    String layer = Names.LAYER + "linear_attn.";
    Part delta = DeltaSettings.read(c, d);
    if (c.word("model_type", "qwen3_next").equals("qwen3_next")) {
      interleaved(apart(names, layer, delta), layer, delta);
    } else {
      apart(interleaved(names, layer, delta), layer, delta);
    }
    return names
        .row(DeltaSettings.OURS + "conv", layer + "conv1d.weight")
        .row(
            DeltaSettings.OURS + "decay",
            WeightNames.from(layer + "A_log").as(Conversion.MINUS_EXP))
        .row(DeltaSettings.OURS + "dtBias", layer + "dt_bias")
        .row(DeltaSettings.OURS + "norm", layer + "norm.weight")
        .row(DeltaSettings.OURS + "o", layer + "out_proj.weight");
  }

  private static WeightNames interleaved(WeightNames names, String layer, Part delta) {
    String in = layer + "in_proj_";
    return DeltaSettings.interleavedGates(
        DeltaSettings.interleaved(names, in + "qkvz.weight", delta), in + "ba.weight", delta);
  }

  private static WeightNames apart(WeightNames names, String layer, Part delta) {
    for (String part : new String[] {"z", "b", "a"}) {
      names.row(DeltaSettings.OURS + part, layer + "in_proj_" + part + ".weight");
    }
    return DeltaSettings.fused(names, layer + "in_proj_qkv.weight", delta);
  }
}
