package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Command R7B and A: {@link Cohere} in which most layers see a window and turn their heads, and
 * every fourth sees all and knows no positions.
 */
final class Cohere2 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("Cohere2ForCausalLM", "cohere2");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    refuseOthers(c);
    int pattern = c.positive(Decoder.spelled(c, "sliding_window_pattern", "layer_switch"), 4);
    List<String> types =
        d.layerTypes(i -> (i + 1) % pattern == 0 ? "full_attention" : "sliding_attention");
    Part full = d.biased(d.attention());
    if (c.isNull("sliding_window")) {
      throw c.errorAt(
          "sliding_window", "sliding_window=null is not supported; needed: a whole number");
    }
    Part sliding =
        RopeSettings.read(c, d.headDim, d.context)
            .interleaved()
            .on(full)
            .with("window", c.positive("sliding_window", 4096));
    return Cohere.architecture("cohere2", d, i -> d.slides(types.get(i)) ? sliding : full);
  }

  /** Settings of the first release that name what the family is; other values name nothing. */
  private static void refuseOthers(Config c) {
    c.choice("order_of_interleaved_layers", "local_attn_first", "local_attn_first");
    c.choice("position_embedding_type", "rope_gptj", "rope_gptj");
    Decoder.only(c, "use_embedding_sharing", true);
    Decoder.only(c, "use_gated_activation", true);
    Decoder.only(c, "use_parallel_block", true);
    Decoder.only(c, "use_qk_norm", false);
    c.ignore("use_parallel_embedding");
  }

  @Override
  public WeightNames weights(Config c) {
    return new Cohere().weights(c);
  }
}
