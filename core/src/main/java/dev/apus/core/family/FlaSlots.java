package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;
import java.util.Map;

/**
 * Models of flash-linear-attention that attend to slots: Gated Slot Attention, and ABC, attention
 * with bounded-memory control.
 */
final class FlaSlots implements ModelFamily {

  private static final String MIXER = "slot-attention";

  /** What the reference's fused norm uses, whatever the config's epsilon. */
  private static final double GSA_EPSILON = 1e-5;

  @Override
  public List<String> names() {
    return List.of("GSAForCausalLM", "gsa", "ABCForCausalLM", "abc");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    String type = c.word("model_type");
    return d.architecture(type, type.equals("gsa") ? gated(d) : bounded(d));
  }

  private static Part gated(FlaDecoder d) {
    Config c = d.c;
    // The reference reads these and computes without them.
    c.ignore("clamp_max", "clamp_min", "use_norm", "use_output_gate");
    Part decay =
        Part.of("").with("keys", "complement").with("root", c.number("gate_logit_normalizer", 8));
    Part part = mapped(c, slotted(d, 1)).with("scale", 1).with("decay", decay.settings());
    return FlaInputs.normed(part, NormSpec.rms(GSA_EPSILON), "row").with("readActivation", "silu");
  }

  /** Values are always activated, queries and keys by one of three maps. */
  private static Part mapped(Config c, Part part) {
    String map = c.choice("feature_map", "swish", "swish", "relu", "t2r");
    Part activated = part.with("activation", "silu");
    if (map.equals("swish")) {
      return activated;
    }
    Part features = Part.of("").with("map", map);
    return activated
        .with("activated", "v")
        .with(
            "features",
            map.equals("t2r") ? features.with("tied", true).settings() : features.settings());
  }

  private static Part bounded(FlaDecoder d) {
    Config c = d.c;
    c.ignore("gate_low_rank_dim");
    Part part = slotted(d, 0.5);
    if (c.flag("use_rope", true)) {
      part = part.with("rope", Map.of());
    }
    Part decay = Part.of("").with("keys", "softmax");
    if (!c.isNull("clamp_min")) {
      decay = decay.with("least", c.number("clamp_min", -32));
    }
    if (!c.isNull("clamp_max")) {
      decay = decay.with("most", c.number("clamp_max", 32));
    }
    return FlaInputs.normed(part, d.norm, "head")
        .with("decay", decay.settings())
        .with("gate", "silu");
  }

  private static Part slotted(FlaDecoder d, double keys) {
    Part part = FlaInputs.ofHeads(d, MIXER, 4, keys, 1);
    return part.with(
        "slots",
        d.c.isNull("num_slots") ? part.settings().get("keyDim") : d.c.positive("num_slots", 64));
  }

  @Override
  public WeightNames weights(Config c) {
    String slots = c.word("model_type").equals("gsa") ? "f" : "s";
    return FlaInputs.names(MIXER + ".", "qkv")
        .row(MIXER + ".s", FlaNames.MIXER + slots + "_proj.weight")
        .row(MIXER + ".features", FlaNames.MIXER + "feature_map.layer.weight");
  }
}
