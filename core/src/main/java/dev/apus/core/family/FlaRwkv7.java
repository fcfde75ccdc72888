package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** RWKV-7 of flash-linear-attention. */
final class FlaRwkv7 implements ModelFamily {

  /** In which older files have the shares of shifted rows, in one tensor. */
  private static final String ORDER = "rwkvag";

  @Override
  public List<String> names() {
    return List.of("RWKV7ForCausalLM", "rwkv7");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    c.choice("hidden_act", "sqrelu", "sqrelu");
    if (c.has("attn")) {
      throw c.errorAt("attn", "attn=%s is not supported; supported: null", c.raw("attn"));
    }
    NormSpec norm = NormSpec.layer(Decoder.epsilon(c, "norm_eps", 1e-5), c.flag("norm_bias", true));
    Part time = mixer(d, norm.epsilon());
    return Rwkv7Parts.architecture(
        d.decoder,
        c.flag("norm_first", true) ? norm : null,
        norm,
        time,
        c.positive("v_low_rank_dim", 16),
        RwkvParts.channelMix(FlaRwkv6.inner(d, 4)).with("gated", false));
  }

  private static Part mixer(FlaDecoder d, double epsilon) {
    Config c = d.c;
    int heads = c.positive("num_heads", Math.max(1, d.width / c.positive("head_dim", 64)));
    int keyDim = d.each("values of a row", d.width, heads);
    if (c.has("head_dim") && c.positive("head_dim") != keyDim) {
      throw c.errorAt("head_dim", "head_dim=%s, the heads have %d", c.raw("head_dim"), keyDim);
    }
    return Part.of("rwkv7-time-mix")
        .with("heads", heads)
        .with("keyDim", keyDim)
        .with("valueDim", d.each("values", values(d), heads))
        .with("decayRank", c.positive("decay_low_rank_dim", 64))
        .with("rateRank", c.positive("a_low_rank_dim", 64))
        .with("gateRank", c.positive("gate_low_rank_dim", 128))
        .with("epsilon", keyDim * epsilon);
  }

  /** How many values a token has in every layer, because the first layer's go into all others. */
  private static int values(FlaDecoder d) {
    Config c = d.c;
    if (!(c.raw("value_dim") instanceof List)) {
      return c.positive("value_dim", d.width);
    }
    List<Integer> all = c.integers("value_dim");
    if (all.size() != d.decoder.layers || all.stream().distinct().count() != 1) {
      throw c.errorAt(
          "value_dim", "value_dim=%s must be the same number for each of the layers", all);
    }
    return all.getFirst();
  }

  @Override
  public WeightNames weights(Config c) {
    String mixer = FlaNames.MIXER;
    String block = Names.LAYER + "ffn.";
    String channel = RwkvParts.CHANNEL + ".rwkv-channel-mix.";
    String ours = Rwkv7Parts.OURS;
    WeightNames names =
        FlaNames.outer()
            .row("embedding.norm", "model.layers.0.pre_norm.weight")
            .row(RwkvParts.CHANNEL + ".mixer.norm", Names.LAYER + "ffn_norm.weight")
            .row(channel + "shares.k", block + "x_k")
            .row(channel + "k", block + "key.weight")
            .row(channel + "v", block + "value.weight")
            .row(ours + "sought", mixer + "k_k")
            .row(ours + "replaced", mixer + "k_a")
            .row(ours + "bonus", mixer + "r_k")
            .row(ours + "norm", mixer + "g_norm.weight");
    int width = c.positive("hidden_size");
    for (int n = 0; n < ORDER.length(); n++) {
      char letter = ORDER.charAt(n);
      Rwkv7Parts.both(
          names,
          "shares." + letter,
          WeightNames.from(mixer + "x_x").as(Conversion.rows(n * width, width)));
      Rwkv7Parts.both(names, "shares." + letter, WeightNames.from(mixer + "x_" + letter));
      names.shaped(mixer + "x_" + letter, 1, 1, width);
    }
    for (String p : new String[] {"r", "k", "v", "o"}) {
      Rwkv7Parts.both(names, p, WeightNames.from(mixer + p + "_proj.weight"));
    }
    for (String[] rank : Rwkv7Parts.RANKS) {
      String stored = mixer + rank[1] + "_lora.lora.";
      names
          .row(ours + rank[0] + ".latent", stored + "0.weight")
          .row(ours + rank[0], stored + "2.weight");
    }
    int heads = (int) mixer(new FlaDecoder(c), 1e-5).settings().get("heads");
    return names.shaped(mixer + "r_k", heads, width / heads);
  }
}
