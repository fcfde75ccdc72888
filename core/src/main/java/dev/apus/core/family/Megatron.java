package dev.apus.core.family;

import dev.apus.core.weight.WeightNames;

/** The names that Bloom took from Megatron and Falcon from Bloom. */
final class Megatron {

  private static final String LAYER = "transformer.h.{i}.";

  private Megatron() {}

  static WeightNames names(Decoder d, String mixerNorm, String channelNorm) {
    WeightNames names =
        new WeightNames()
            .prefix("transformer.", "")
            .row("embedding", "transformer.word_embeddings.weight")
            .row("mixer.norm", LAYER + mixerNorm + ".weight")
            .row("channel.norm", LAYER + channelNorm + ".weight")
            .row("attention.o", LAYER + "self_attention.dense.weight")
            .row("norm", "transformer.ln_f.weight")
            .row("head", "lm_head.weight")
            .ignore(".*\\.rotary_emb\\.inv_freq");
    Names.mlp(names, LAYER + "mlp.dense_h_to_4h.weight", LAYER + "mlp.dense_4h_to_h.weight");
    return Names.groupedQkv(names, LAYER + "self_attention.query_key_value.weight", d);
  }
}
