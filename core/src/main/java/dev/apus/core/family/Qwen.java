package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Qwen 2 and 3, dense and with experts: Qwen 2 has biases on queries, keys and values, Qwen 3 norms
 * of each head's queries and keys instead.
 */
final class Qwen implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of(
        "Qwen2ForCausalLM",
        "qwen2",
        "Qwen3ForCausalLM",
        "qwen3",
        "Qwen2MoeForCausalLM",
        "qwen2_moe",
        "Qwen3MoeForCausalLM",
        "qwen3_moe");
  }

  @Override
  public Architecture describe(Config c) {
    String type = c.choice("model_type", "qwen2", "qwen2", "qwen3", "qwen2_moe", "qwen3_moe");
    return describe(c, type, type);
  }

  /**
   * What a config describes.
   *
   * @param type which of these models it is, or was made from
   * @param family whose checkpoint it is
   */
  static Architecture describe(Config c, String type, String family) {
    Decoder.only(c, "use_mrope", false);
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    boolean third = type.startsWith("qwen3");
    Part plain =
        third
            ? Decoder.normed(d.biased(d.attention()), norm, "head", false)
            : d.attention().with("biased", c.flag("qkv_bias", true));
    Part attention = d.rope(plain);
    boolean sliding = c.flag("use_sliding_window", false);
    int window = sliding ? c.count("sliding_window", 0) : 0;
    int full = c.count("max_window_layers", d.layers);
    c.ignore("sliding_window");
    List<String> types =
        d.layerTypes(i -> sliding && i >= full ? "sliding_attention" : "full_attention");
    Experts experts = Experts.read(d);
    return d.architecture(
        family,
        i -> Decoder.preNorm(norm, d.windowed(attention, types.get(i), window), experts.channel(i)),
        norm);
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = Names.llama();
    if (c.has("moe_intermediate_size")) {
      Experts.fused(names, c.positive("hidden_size"), c.positive("moe_intermediate_size"));
    }
    return Experts.names(names);
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufQwen());
  }
}
