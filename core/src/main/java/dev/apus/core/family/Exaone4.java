package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * EXAONE 4: what a part gives is normalised, and queries and keys by head. Where layers have
 * windows, the ones without have no positions.
 */
final class Exaone4 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("Exaone4ForCausalLM", "exaone4");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-5);
    Part plain = Decoder.normed(d.attention(), norm, "head", false);
    Part turned = d.rope(plain);
    int window = c.count("sliding_window", 0);
    List<String> types = d.layerTypes(i -> absent(c, i, window));
    c.ignore("sliding_window_pattern");
    Part mlp = d.gatedMlp();
    return d.architecture(
        "exaone4",
        i -> {
          boolean positions = window == 0 || d.slides(types.get(i));
          Part attention = positions ? turned : plain;
          return Decoder.postNorm(norm, d.windowed(attention, types.get(i), window), mlp);
        },
        norm);
  }

  /**
   * The pattern is a count, of which every last layer is full, or letters: L is local, G global.
   */
  private static String absent(Config c, int layer, int window) {
    Object pattern = c.raw("sliding_window_pattern");
    boolean full =
        window == 0
            || (pattern instanceof String letters && !letters.isEmpty()
                ? letters.charAt(layer % letters.length()) == 'G'
                : (layer + 1) % c.positive("sliding_window_pattern", 4) == 0);
    return full ? "full_attention" : "sliding_attention";
  }

  @Override
  public WeightNames weights(Config c) {
    return Names.outer()
        .row("mixer.after", Names.LAYER + "post_attention_layernorm.weight")
        .row("channel.after", Names.LAYER + "post_feedforward_layernorm.weight");
  }
}
