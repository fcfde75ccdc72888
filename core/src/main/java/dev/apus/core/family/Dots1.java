package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** dots.llm1: Qwen 3's attention, and the experts of DeepSeek-V3 in all but the first layers. */
final class Dots1 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("Dots1ForCausalLM", "dots1");
  }

  @Override
  public Architecture describe(Config c) {
    // The authors' configs name the whole router, which is always this one, where others have the
    // score.
    c.choice("scoring_func", "sigmoid", "sigmoid", "noaux_tc");
    c.choice("topk_method", "noaux_tc", "noaux_tc");
    DeepSeek.ignoreTraining(c);
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    Part attention = d.rope(Decoder.normed(d.biased(d.attention()), norm, "head", false));
    int window = c.isNull("sliding_window") ? 0 : c.count("sliding_window", 4096);
    int full = c.count("max_window_layers", 62);
    List<String> types =
        d.layerTypes(i -> window > 0 && i >= full ? "sliding_attention" : "full_attention");
    List<Boolean> sparse = Experts.sparse(d, 0);
    Part dense = d.gatedMlp();
    Part experts = Experts.corrected(Experts.routed(c), c, false);
    return d.architecture(
        "dots1",
        i -> {
          Part mixer = d.windowed(attention, types.get(i), window);
          return Decoder.preNorm(norm, mixer, sparse.get(i) ? experts : dense);
        },
        norm);
  }

  @Override
  public WeightNames weights(Config c) {
    return Experts.routed(Names.llama(), new Decoder(c));
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(GgufRouted.dots1());
  }
}
