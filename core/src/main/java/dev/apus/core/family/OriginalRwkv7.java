package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * RWKV-7 as its author publishes it, converted to safetensors tensor by tensor. Such a file comes
 * without settings, so its {@code config.json} has those of the author's training code: {@code
 * n_layer}, {@code n_embd}, {@code vocab_size}, and, if they are not as usual, {@code head_size}
 * and {@code dim_ffn}; and the columns of {@code w1}, {@code a1}, {@code v1} and {@code g1}, which
 * differ between releases, as {@code D_DECAY_LORA}, {@code D_AAA_LORA}, {@code D_MV_LORA} and
 * {@code D_GATE_LORA}. Its {@code architectures} is {@code ["RWKV_x070"]}, or {@code my_testing} is
 * {@code "x070"}.
 */
final class OriginalRwkv7 implements ModelFamily {

  private static final String VERSION = "x070";

  private static final String LAYER = "blocks.{i}.";

  /** The epsilon of norms of rows; that of heads is as many times this as a head has values. */
  private static final double EPSILON = 1e-5;

  @Override
  public List<String> names() {
    return List.of("RWKV_x070");
  }

  @Override
  public boolean recognizes(Config c) {
    return c.has("n_embd") && VERSION.equals(c.raw("my_testing"));
  }

  @Override
  public Architecture describe(Config c) {
    c.choice("my_testing", VERSION, VERSION);
    c.ignore("ctx_len");
    int width = c.positive("n_embd");
    Decoder d = new Decoder(c, width, c.positive("n_layer"), 1, Mamba.CONTEXT);
    NormSpec norm = NormSpec.layer(EPSILON, true);
    int headDim = c.positive("head_size", 64);
    if (width % headDim != 0) {
      throw c.error("n_embd=%d is not divisible by head_size=%d", width, headDim);
    }
    Part time =
        Part.of("rwkv7-time-mix")
            .with("heads", width / headDim)
            .with("keyDim", headDim)
            .with("valueDim", headDim)
            .with("decayRank", c.positive("D_DECAY_LORA"))
            .with("rateRank", c.positive("D_AAA_LORA"))
            .with("gateRank", c.positive("D_GATE_LORA"))
            .with("epsilon", headDim * EPSILON);
    Part channel =
        RwkvParts.channelMix(c.positive("dim_ffn", Math.multiplyExact(4, width)))
            .with("gated", false);
    return Rwkv7Parts.architecture(d, norm, norm, time, c.positive("D_MV_LORA"), channel);
  }

  @Override
  public WeightNames weights(Config c) {
    String mix = LAYER + "att.";
    String channel = RwkvParts.CHANNEL + ".rwkv-channel-mix.";
    String ours = Rwkv7Parts.OURS;
    int width = c.positive("n_embd");
    int headDim = c.positive("head_size", 64);
    WeightNames names =
        new WeightNames()
            .row("embedding", "emb.weight")
            .row("embedding.norm", "blocks.0.ln0.weight")
            .row("mixer.norm", LAYER + "ln1.weight")
            .row(RwkvParts.CHANNEL + ".mixer.norm", LAYER + "ln2.weight")
            .row("norm", "ln_out.weight")
            .row("head", "head.weight")
            .row(channel + "shares.k", LAYER + "ffn.x_k")
            .row(channel + "k", LAYER + "ffn.key.weight")
            .row(channel + "v", LAYER + "ffn.value.weight")
            .row(ours + "sought", mix + "k_k")
            .row(ours + "replaced", mix + "k_a")
            .row(ours + "bonus", mix + "r_k")
            .row(ours + "norm", mix + "ln_x.weight")
            .shaped(LAYER + "ffn.x_k", 1, 1, width)
            .shaped(mix + "k_k", 1, 1, width)
            .shaped(mix + "k_a", 1, 1, width)
            .shaped(mix + "r_k", width / headDim, headDim)
            // The first layer has no use for shares of its own values.
            .ignore("blocks\\.0\\.att\\.v[012]");
    for (String letter : new String[] {"r", "w", "k", "v", "a", "g"}) {
      Rwkv7Parts.both(names, "shares." + letter, WeightNames.from(mix + "x_" + letter));
      names.shaped(mix + "x_" + letter, 1, 1, width);
    }
    Rwkv7Parts.both(names, "r", WeightNames.from(mix + "receptance.weight"));
    Rwkv7Parts.both(names, "k", WeightNames.from(mix + "key.weight"));
    Rwkv7Parts.both(names, "v", WeightNames.from(mix + "value.weight"));
    Rwkv7Parts.both(names, "o", WeightNames.from(mix + "output.weight"));
    for (String[] rank : Rwkv7Parts.RANKS) {
      names
          .row(ours + rank[0] + ".latent", RwkvParts.turned(mix + rank[1] + "1"))
          .row(ours + rank[0], RwkvParts.turned(mix + rank[1] + "2"))
          .row(ours + rank[0] + ".bias", mix + rank[1] + "0")
          .shaped(mix + rank[1] + "0", 1, 1, width);
    }
    return names;
  }
}
