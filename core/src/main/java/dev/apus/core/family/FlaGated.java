package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;
import java.util.Map;

/**
 * Models of flash-linear-attention whose memories forget at constant rates or by gates of their
 * own: RetNet, and Gated Linear Attention.
 */
final class FlaGated implements ModelFamily {

  private static final String MIXER = "linear-attention";

  /** Values that the gates of Gated Linear Attention come out of, and the root they are. */
  private static final int GATE_LATENT = 16;

  private static final int GATE_ROOT = 16;

  @Override
  public List<String> names() {
    return List.of("RetNetForCausalLM", "retnet", "GLAForCausalLM", "gla");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    return c.word("model_type").equals("retnet")
        ? d.architecture("retnet", retention(d), d.gatedMlp(c.number("hidden_ratio", 2)))
        : d.architecture("gla", gated(d));
  }

  private static Part retention(FlaDecoder d) {
    return ofHeads(d, 8, 1, 2).with("rope", Map.of()).with("decay", Map.of("rates", "retention"));
  }

  private static Part gated(FlaDecoder d) {
    Decoder.only(d.c, "use_gk", true);
    Decoder.only(d.c, "use_gv", false);
    Part decay =
        Part.of("")
            .with("gate", "key")
            .with("latent", GATE_LATENT)
            .with("biased", true)
            .with("root", GATE_ROOT);
    if (d.c.has("clamp_min")) {
      decay = decay.with("floor", d.c.number("clamp_min"));
    }
    return ofHeads(d, 4, 0.5, 1).with("decay", decay.settings());
  }

  /** Heads that are each normalised by itself and gated. */
  private static Part ofHeads(FlaDecoder d, int absent, double keys, double values) {
    Config c = d.c;
    Part part = FlaInputs.ofHeads(d, MIXER, absent, keys, values);
    if (c.has("feature_map")) {
      String map = c.choice("feature_map", null, "relu", "sigmoid", "silu", "swish");
      part = part.with("activation", map.equals("swish") ? "silu" : map).with("activated", "qk");
    }
    boolean gate = c.flag("use_output_gate", true);
    return FlaInputs.normed(part, d.norm, "head").with("gate", gate ? Activations.of(c) : "none");
  }

  @Override
  public WeightNames weights(Config c) {
    String mixer = FlaNames.MIXER;
    WeightNames names = FlaInputs.names(MIXER + ".", "qkv");
    boolean fused = c.flag("fuse_norm", true) && c.flag("use_output_gate", true);
    if (fused && c.word("hidden_act", "swish").equals("swish")) {
      names.row(MIXER + ".norm", mixer + "g_norm_swish_gate.weight");
    }
    return FlaNames.lowRank(names, MIXER + ".decay", mixer + "gk_proj.");
  }
}
