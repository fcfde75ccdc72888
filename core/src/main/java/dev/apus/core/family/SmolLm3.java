package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** SmolLM 3: Llama in which every fourth layer has no positions. */
final class SmolLm3 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("SmolLM3ForCausalLM", "smollm3");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    Part plain = d.biased(d.attention());
    Part turned = d.rope(plain);
    List<Integer> rope = NoPositions.rotated(d);
    boolean sliding = c.flag("use_sliding_window", false);
    int window = sliding ? c.count("sliding_window", 0) : 0;
    c.ignore("sliding_window", "max_window_layers");
    List<String> types =
        d.layerTypes(i -> window > 0 && rope.get(i) == 0 ? "sliding_attention" : "full_attention");
    Part mlp = d.gatedMlp();
    return d.architecture(
        "smollm3",
        i -> {
          Part attention = rope.get(i) == 0 ? plain : turned;
          return Decoder.preNorm(norm, d.windowed(attention, types.get(i), window), mlp);
        },
        norm);
  }

  @Override
  public WeightNames weights(Config c) {
    return Names.llama();
  }
}
