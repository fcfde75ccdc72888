package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * Models of flash-linear-attention whose memories add and forget: RetNet, Gated Linear Attention,
 * HGRN2 and LightNet.
 */
final class FlaGated implements ModelFamily {

  private static final String MIXER = "linear-attention";

  /** What the references' fused norms use, whatever the config's epsilon. */
  private static final double HGRN2_EPSILON = 1e-5;

  private static final double LIGHTNET_EPSILON = 1e-6;

  /** Values that the gates of Gated Linear Attention come out of, and the root they are. */
  private static final int GATE_LATENT = 16;

  private static final int GATE_ROOT = 16;

  @Override
  public List<String> names() {
    return List.of(
        "RetNetForCausalLM",
        "retnet",
        "GLAForCausalLM",
        "gla",
        "HGRN2ForCausalLM",
        "hgrn2",
        "LightNetForCausalLM",
        "lightnet");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    String type = c.word("model_type");
    return switch (type) {
      case "retnet" -> d.architecture(type, retention(d), d.gatedMlp(c.number("hidden_ratio", 2)));
      case "gla" -> d.architecture(type, gated(d));
      case "lightnet" -> d.architecture(type, lightNet(d));
      default -> hgrn2(d);
    };
  }

  private static Part retention(FlaDecoder d) {
    return ofHeads(d, 8, 1, 2).with("rope", Map.of()).with("decay", Map.of("rates", "retention"));
  }

  private static Part gated(FlaDecoder d) {
    Decoder.only(d.c, "use_gk", true);
    Decoder.only(d.c, "use_gv", false);
    Map<String, Object> decay = new LinkedHashMap<>();
    decay.put("gate", "key");
    decay.put("latent", GATE_LATENT);
    decay.put("biased", true);
    decay.put("root", GATE_ROOT);
    if (d.c.has("clamp_min")) {
      decay.put("floor", d.c.number("clamp_min"));
    }
    return ofHeads(d, 4, 0.5, 1).with("decay", decay);
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

  private static Architecture hgrn2(FlaDecoder d) {
    Config c = d.c;
    int ratio = ratio(c, d.width);
    int heads = d.width / ratio;
    if (c.has("num_heads") && c.positive("num_heads") != heads) {
      throw c.errorAt(
          "num_heads",
          "num_heads=%d, but expand_ratio=%d of hidden_size=%d makes %d heads",
          c.positive("num_heads"),
          ratio,
          d.width,
          heads);
    }
    boolean bounded = c.flag("use_lower_bound", true);
    Part mixer = FlaInputs.normed(ofKeys(d, heads, ratio), NormSpec.rms(HGRN2_EPSILON), "row");
    return d.architecture(
        "hgrn2",
        layer -> {
          Map<String, Object> decay = new LinkedHashMap<>(Map.of("keys", "complement"));
          if (bounded && layer > 0) {
            decay.put("bounds", Map.of("layers", d.decoder.layers, "layer", layer));
          }
          return mixer.with("decay", decay);
        },
        d.gatedMlp());
  }

  private static Part lightNet(FlaDecoder d) {
    Config c = d.c;
    int ratio = ratio(c, d.width);
    Part part = ofKeys(d, c.positive("num_heads", d.width / ratio), ratio);
    return FlaInputs.normed(part, NormSpec.rms(LIGHTNET_EPSILON), "row")
        .with("decay", Map.of("keys", "softmax"))
        .with("gate", "silu")
        .with("gateLatent", c.positive("gate_low_rank_dim", 128));
  }

  /** Keys of a head; if the config says null, as many as its values. */
  private static int ratio(Config c, int width) {
    return c.isNull("expand_ratio")
        ? width / c.positive("num_heads")
        : c.positive("expand_ratio", 128);
  }

  /** Heads whose keys follow from what they forget. */
  private static Part ofKeys(FlaDecoder d, int heads, int keyDim) {
    Part part =
        Part.of(MIXER)
            .with("heads", heads)
            .with("keyDim", keyDim)
            .with("valueDim", d.each("values", d.width, heads))
            .with("activation", "silu")
            .with("activated", "q");
    return FlaInputs.convolved(part, d.c, "identity");
  }

  @Override
  public WeightNames weights(Config c) {
    String type = c.word("model_type");
    String ours = MIXER + ".";
    String mixer = FlaNames.MIXER;
    WeightNames names = FlaInputs.names(ours, type.equals("hgrn2") ? "qfi" : "qkv");
    return switch (type) {
      case "lightnet" -> FlaNames.lowRank(names, ours + "gate", mixer + "g_proj.");
      case "hgrn2" ->
          // The first layer has no bounds, and may be the only one that is not attention.
          names.row(ours + "bounds", "model.lower_bounds").ignore("model\\.lower_bounds");
      default -> {
        boolean fused = c.flag("fuse_norm", true) && c.flag("use_output_gate", true);
        if (fused && c.word("hidden_act", "swish").equals("swish")) {
          names.row(ours + "norm", mixer + "g_norm_swish_gate.weight");
        }
        yield FlaNames.lowRank(names, ours + "decay", mixer + "gk_proj.");
      }
    };
  }
}
