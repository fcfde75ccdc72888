package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;
import java.util.Map;

/** RWKV-6 of flash-linear-attention, whose keys may be shorter than its values. */
final class FlaRwkv6 implements ModelFamily {

  private static final String OURS = "rwkv-time-mix.";

  /** In which the shares of shifted rows are stored. */
  private static final String ORDER = "rwkvg";

  private static final int INNER_STEP = 32;

  @Override
  public List<String> names() {
    return List.of("RWKV6ForCausalLM", "rwkv6");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    c.choice("hidden_act", "sqrelu", "sqrelu");
    NormSpec norm = NormSpec.layer(Decoder.epsilon(c, "norm_eps", 1e-5), c.flag("norm_bias", true));
    Map<Integer, Part> attention = d.attention();
    Part time = mixer(d, norm.epsilon());
    Part channel = RwkvParts.channelMix(inner(d, 3.5));
    return d.decoder.architecture(
        "rwkv6",
        new Embedding(1, 0, c.flag("norm_first", true) ? norm : null),
        i -> RwkvParts.layer(attention.getOrDefault(i, time), channel, norm),
        norm,
        Head.of(c.flag("tie_word_embeddings", false)));
  }

  /** Values between the two stages of a channel mix. */
  static int inner(FlaDecoder d, double ratio) {
    return d.c.has("intermediate_size")
        ? d.c.positive("intermediate_size")
        : Math.ceilDiv(d.expanded("hidden_ratio", ratio), INNER_STEP) * INNER_STEP;
  }

  private static Part mixer(FlaDecoder d, double epsilon) {
    Config c = d.c;
    int heads = c.positive("num_heads", 4);
    return Part.of("rwkv-time-mix")
        .with("heads", heads)
        .with("keyDim", d.each("keys", d.expanded("expand_k", 0.5), heads))
        .with("valueDim", d.each("values", d.expanded("expand_v", 1), heads))
        .with("order", ORDER)
        .with("shareRank", c.positive("proj_low_rank_dim", 32))
        .with("decayRank", c.positive("gate_low_rank_dim", 64))
        .with("norm", NormSpec.layer(epsilon, true).toMap());
  }

  @Override
  public WeightNames weights(Config c) {
    String mixer = FlaNames.MIXER;
    String block = Names.LAYER + "ffn.";
    String channel = RwkvParts.CHANNEL_WEIGHTS;
    WeightNames names =
        FlaNames.outer()
            .row("embedding.norm", "model.layers.0.pre_norm.weight")
            .row(RwkvParts.CHANNEL + ".mixer.norm", Names.LAYER + "ffn_norm.weight")
            .row(channel + "v", block + "value.weight")
            .row(channel + "shares.k", block + "key.mu")
            .row(channel + "shares.r", block + "receptance.mu")
            .row(channel + "k", block + "key.linear.weight")
            .row(channel + "r", block + "receptance.linear.weight")
            .row(OURS + "shares.x", mixer + "x_proj.0.mu")
            .row(OURS + "shares.latent", mixer + "x_proj.0.linear.weight")
            .row(OURS + "shares.up", mixer + "x_proj.2.weight")
            .row(OURS + "decay.latent", mixer + "w_proj.linear.lora.0.weight")
            .row(OURS + "decay", mixer + "w_proj.linear.lora.2.weight")
            .row(OURS + "bonus", mixer + "bonus")
            .row(OURS + "norm", mixer + "g_norm.weight")
            .row(OURS + "o", mixer + "o_proj.weight");
    for (String p : new String[] {"r", "k", "v", "g"}) {
      names.row(OURS + p, mixer + p + "_proj.linear.weight");
    }
    int width = c.positive("hidden_size");
    for (int n = 0; n < ORDER.length(); n++) {
      names.row(
          OURS + "shares." + ORDER.charAt(n),
          WeightNames.from(mixer + "x_bias").as(Conversion.rows(n * width, width)));
    }
    int heads = c.positive("num_heads", 4);
    int keys = new FlaDecoder(c).expanded("expand_k", 0.5);
    names
        .shaped(mixer + "x_bias", ORDER.length(), width)
        .shaped(mixer + "bonus", heads, keys / heads);
    return names;
  }
}
