package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Models of flash-linear-attention whose every layer is softmax attention: BitNet, whose matrices
 * are ternary, and the Forgetting Transformer.
 */
final class FlaAttention implements ModelFamily {

  /** Of norms whose epsilon no config states: before matrices of BitNet, and of heads. */
  private static final double ROUNDED_EPSILON = 1e-6;

  private static final double HEAD_EPSILON = 1e-5;

  @Override
  public List<String> names() {
    return List.of(
        "BitNetForCausalLM",
        "bitnet",
        "ForgettingTransformerForCausalLM",
        "forgetting_transformer");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    Part attention = isBitNet(c) ? bitNet(d) : forgetting(d);
    return d.architecture(c.word("model_type").replace('_', '-'), attention);
  }

  private static boolean isBitNet(Config c) {
    return c.word("model_type").equals("bitnet");
  }

  private static Part bitNet(FlaDecoder d) {
    Config c = d.c;
    return d.turned(c, d.heads(c).with("rounded", NormSpec.rms(ROUNDED_EPSILON).toMap()));
  }

  private static Part forgetting(FlaDecoder d) {
    Config c = d.c;
    if (c.has("window_size")) {
      throw c.errorAt(
          "window_size",
          "window_size=%s is not supported: the reference computes prompts without the window;"
              + " supported: null",
          c.raw("window_size"));
    }
    Part part =
        d.heads(c)
            .with("forgets", true)
            .with("biased", c.flag("qkv_bias", false))
            .with("gated", c.flag("use_output_gate", false));
    return c.flag("qk_norm", false)
        ? Decoder.normed(part, NormSpec.rms(HEAD_EPSILON), "each-head", false)
        : part;
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = FlaNames.outer();
    if (!isBitNet(c)) {
      return names
          .row("attention.f", FlaNames.MIXER + "f_proj.weight")
          .row("attention.f.bias", FlaNames.MIXER + "f_proj.bias")
          .row("attention.gate", FlaNames.MIXER + "g_proj.weight")
          .row("attention.q.norm", FlaNames.MIXER + "q_norm.weight")
          .row("attention.k.norm", FlaNames.MIXER + "k_norm.weight");
    }
    for (String p : List.of("q", "k", "v", "o")) {
      String stored = FlaNames.MIXER + p + "_proj.";
      names
          .row("attention." + p, WeightNames.from(stored + "weight").as(Conversion.TERNARY))
          .row("attention." + p + ".input", stored + "norm.weight");
    }
    return names;
  }
}
