package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;
import java.util.Map;

/**
 * Models of flash-linear-attention whose keys are made of what they forget: HGRN2, and LightNet.
 */
final class FlaCoupled implements ModelFamily {

  private static final String MIXER = "linear-attention";

  /** What the references' fused norms use, whatever the config's epsilon. */
  private static final double HGRN2_EPSILON = 1e-5;

  private static final double LIGHTNET_EPSILON = 1e-6;

  @Override
  public List<String> names() {
    return List.of("HGRN2ForCausalLM", "hgrn2", "LightNetForCausalLM", "lightnet");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    return c.word("model_type").equals("hgrn2")
        ? d.architecture("hgrn2", layer -> hgrn2(d, layer), d.gatedMlp())
        : d.architecture("lightnet", lightNet(d));
  }

  private static Part hgrn2(FlaDecoder d, int layer) {
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
    Part decay = Part.of("").with("keys", "complement");
    if (c.flag("use_lower_bound", true)) {
      decay = d.bounded(decay, layer);
    }
    return FlaInputs.normed(ofKeys(d, heads, ratio), NormSpec.rms(HGRN2_EPSILON), "row")
        .with("decay", decay.settings());
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

  private static Part ofKeys(FlaDecoder d, int heads, int keyDim) {
    Part part =
        Part.of(MIXER)
            .with("heads", heads)
            .with("keyDim", keyDim)
            .with("valueDim", d.each("values", d.width, heads))
            .with("activation", "silu")
            .with("activated", "q");
    return FlaInputs.convolved(part, d, "identity");
  }

  @Override
  public WeightNames weights(Config c) {
    if (c.word("model_type").equals("hgrn2")) {
      return FlaNames.bounds(FlaInputs.names(MIXER + ".", "qfi"), MIXER + ".");
    }
    WeightNames names = FlaInputs.names(MIXER + ".", "qkv");
    return FlaNames.lowRank(names, MIXER + ".gate", FlaNames.MIXER + "g_proj.");
  }
}
