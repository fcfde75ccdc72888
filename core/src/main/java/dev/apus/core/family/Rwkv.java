package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;
import java.util.Map;

/**
 * RWKV-5 and RWKV-6 under the names of their authors' checkpoints: matrix memories whose keys fade
 * at constant rates, or at rates that follow from the data as the shares of shifted rows do.
 */
final class Rwkv implements ModelFamily {

  private static final String OURS = "rwkv-time-mix.";

  /** The epsilon of norms that no config changes. */
  private static final double EPSILON = 1e-5;

  @Override
  public List<String> names() {
    return List.of("Rwkv5ForCausalLM", "rwkv5", "Rwkv6ForCausalLM");
  }

  private static boolean sixth(Config c) {
    return c.word("model_type", "rwkv5").equals("rwkv6")
        || c.has("architectures") && c.words("architectures").contains("Rwkv6ForCausalLM");
  }

  @Override
  public Architecture describe(Config c) {
    // Rows are halved every few layers only where they are in half precision.
    c.ignore("rescale_every", "num_attention_heads", "model_version");
    Decoder d = RwkvParts.decoder(c);
    NormSpec norm = Decoder.layerNorm(c, "layer_norm_epsilon", true);
    NormSpec last = NormSpec.layer(EPSILON, true);
    int inner = c.positive("intermediate_size", (int) (d.width * 7L / 2 / 32 * 32));
    return RwkvParts.architecture(
        d,
        sixth(c) ? "rwkv6" : "rwkv5",
        mixer(c, d.width),
        RwkvParts.channelMix(inner),
        norm,
        i -> i < d.layers ? norm : last);
  }

  private static Part mixer(Config c, int width) {
    int headDim = c.positive("head_size", 64);
    int all = c.positive("attention_hidden_size", width);
    if (all % headDim != 0) {
      throw c.error("attention_hidden_size=%d is not divisible by head_size=%d", all, headDim);
    }
    double divisor = c.number("head_size_divisor", 8);
    double epsilon = EPSILON * divisor * divisor;
    if (!(epsilon < 1)) {
      throw c.errorAt(
          "head_size_divisor", "head_size_divisor=%s gives an epsilon of %s", divisor, epsilon);
    }
    Part part =
        Part.of("rwkv-time-mix")
            .with("heads", all / headDim)
            .with("keyDim", headDim)
            .with("norm", NormSpec.layer(epsilon, true).toMap());
    if (!sixth(c)) {
      return part.with("order", "rkvg");
    }
    // Ranks are not in the config.
    boolean wide = width == 4096;
    return part.with("order", "wkvrg")
        .with("shareRank", wide ? 64 : 32)
        .with("decayRank", wide ? 128 : 64);
  }

  @Override
  public WeightNames weights(Config c) {
    int width = c.positive("hidden_size");
    Map<String, Object> part = mixer(c, width).settings();
    int heads = (int) part.get("heads");
    int headDim = (int) part.get("keyDim");
    String mix = RwkvParts.TIME_MIX;
    String channel = RwkvParts.CHANNEL_WEIGHTS;
    WeightNames names =
        RwkvParts.timeMix(RwkvParts.names(), OURS)
            .row(OURS + "g", mix + "gate.weight")
            .row(OURS + "norm", mix + "ln_x.weight")
            .row(OURS + "bonus", mix + "time_faaaa")
            .shaped(mix + "time_faaaa", heads, headDim);
    if (!sixth(c)) {
      RwkvParts.kept(names, width, channel, RwkvParts.CHANNEL_MIX, "key", "receptance");
      return RwkvParts.kept(names, width, OURS, mix, "receptance", "key", "value", "gate")
          .row(OURS + "decay", mix + "time_decay")
          .shaped(mix + "time_decay", heads, headDim);
    }
    RwkvParts.shares(names, width, channel, RwkvParts.CHANNEL_MIX, "k", "r");
    return RwkvParts.learned(names, width, part, mix);
  }
}
