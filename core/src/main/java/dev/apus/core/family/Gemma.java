package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Gemma 2 and 3: norms before and after each part, windows in most layers, an embedding scaled by
 * {@code √width}, and norm weights stored as the distance from one. Gemma 3 normalises queries and
 * keys and turns its windowed layers by angles of their own.
 */
final class Gemma implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("Gemma2ForCausalLM", "gemma2", "Gemma3ForCausalLM", "gemma3_text");
  }

  @Override
  public Architecture describe(Config c) {
    String type = c.choice("model_type", "gemma2", "gemma2", "gemma3_text");
    boolean third = type.equals("gemma3_text");
    if (c.flag("use_bidirectional_attention", false)) {
      throw c.errorAt(
          "use_bidirectional_attention", "use_bidirectional_attention=true is not supported");
    }
    if (third && c.has("attn_logit_softcapping")) {
      throw c.errorAt(
          "attn_logit_softcapping",
          "attn_logit_softcapping is not null; Gemma 3 as published does not cap its scores");
    }
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    int pattern =
        c.positive("sliding_window_pattern", c.positive("_sliding_window_pattern", third ? 6 : 2));
    List<String> types =
        d.layerTypes(i -> (i + 1) % pattern == 0 ? "full_attention" : "sliding_attention");
    double scalar = c.number("query_pre_attn_scalar", 256);
    if (!(scalar > 0)) {
      throw c.errorAt("query_pre_attn_scalar", "query_pre_attn_scalar=%s must be above 0", scalar);
    }
    Part plain =
        d.biased(d.attention())
            .with("scale", 1 / Math.sqrt(scalar))
            .with("softcap", c.real("attn_logit_softcapping", 0));
    Part attention = third ? Decoder.normed(plain, norm, "head", false) : plain;
    RopeSettings local =
        third
            ? RopeSettings.local(d, "rope_local_base_freq")
            : RopeSettings.read(c, d.headDim, d.context);
    RopeSettings global = third ? RopeSettings.global(d, 1e6) : local;
    int window = c.count("sliding_window", 4096);
    Part mlp = d.gatedMlp();
    return d.architecture(
        third ? "gemma3" : "gemma2",
        new Embedding((float) Math.sqrt(d.width), 0, null),
        i -> {
          Part turned = (d.slides(types.get(i)) ? local : global).on(attention);
          return Decoder.sandwich(norm, d.windowed(turned, types.get(i), window), mlp);
        },
        norm,
        new Head(
            c.flag("tie_word_embeddings", true), false, 1, c.real("final_logit_softcapping", 0)));
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = Names.withoutNorms();
    for (String[] norm :
        new String[][] {
          {"norm", "model.norm"},
          {"mixer.norm", Names.LAYER + "input_layernorm"},
          {"mixer.after", Names.LAYER + "post_attention_layernorm"},
          {"channel.norm", Names.LAYER + "pre_feedforward_layernorm"},
          {"channel.after", Names.LAYER + "post_feedforward_layernorm"},
          {"attention.q.norm", Names.LAYER + "self_attn.q_norm"},
          {"attention.k.norm", Names.LAYER + "self_attn.k_norm"}
        }) {
      names.row(norm[0], WeightNames.from(norm[1] + ".weight").as(Conversion.PLUS_ONE));
    }
    return names;
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufGemma());
  }
}
