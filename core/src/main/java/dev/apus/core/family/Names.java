package dev.apus.core.family;

import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;

/** Rows of name tables that several families share. */
final class Names {

  static final String LAYER = "model.layers.{i}.";

  private Names() {}

  /** The names of Llama, which most later families kept. */
  static WeightNames llama() {
    return outer()
        .row("mixer.norm", LAYER + "input_layernorm.weight")
        .row("channel.norm", LAYER + "post_attention_layernorm.weight");
  }

  /** Llama's names without the norms of its layers, for families that place theirs elsewhere. */
  static WeightNames outer() {
    return withoutNorms()
        .row("norm", "model.norm.weight")
        .row("attention.q.norm", LAYER + "self_attn.q_norm.weight")
        .row("attention.k.norm", LAYER + "self_attn.k_norm.weight");
  }

  /** Llama's names without any norm, for families that store theirs in another way. */
  static WeightNames withoutNorms() {
    WeightNames names =
        new WeightNames()
            .row("embedding", "model.embed_tokens.weight")
            .row("head", "lm_head.weight")
            .ignore(".*\\.rotary_emb\\.inv_freq");
    for (String p : new String[] {"q", "k", "v", "o"}) {
      names.row("attention." + p, LAYER + "self_attn." + p + "_proj.weight");
    }
    return gatedMlp(names, "gated-mlp.", LAYER + "mlp.");
  }

  /**
   * A gated block's three matrices, under {@code gate_proj}, {@code up_proj}, {@code down_proj}.
   */
  static WeightNames gatedMlp(WeightNames names, String ours, String theirs) {
    return names
        .row(ours + "gate", theirs + "gate_proj.weight")
        .row(ours + "up", theirs + "up_proj.weight")
        .row(ours + "down", theirs + "down_proj.weight");
  }

  /** Queries, keys and values one after the other in one matrix. */
  static WeightNames fusedQkv(WeightNames names, String fused, int queryRows, int keyRows) {
    Source all = WeightNames.from(fused);
    return names
        .row("attention.q", all.as(Conversion.rows(0, queryRows)))
        .row("attention.k", all.as(Conversion.rows(queryRows, keyRows)))
        .row("attention.v", all.as(Conversion.rows(queryRows + keyRows, keyRows)));
  }

  /**
   * Queries, keys and values of one matrix in which each key–value head follows the query heads
   * that share it.
   */
  static WeightNames groupedQkv(WeightNames names, String fused, Decoder d) {
    Source all = WeightNames.from(fused);
    int queries = d.heads / d.kvHeads * d.headDim;
    int stride = queries + 2 * d.headDim;
    return names
        .row("attention.q", all.as(Conversion.ofEachGroup(d.kvHeads, stride, 0, queries)))
        .row("attention.k", all.as(Conversion.ofEachGroup(d.kvHeads, stride, queries, d.headDim)))
        .row(
            "attention.v",
            all.as(Conversion.ofEachGroup(d.kvHeads, stride, queries + d.headDim, d.headDim)));
  }

  /** The matrices of a block without a gate. */
  static WeightNames mlp(WeightNames names, String up, String down) {
    return names.row("mlp.up", up).row("mlp.down", down);
  }

  /** Gate and up one after the other in one matrix. */
  static WeightNames fusedGate(WeightNames names, String ours, String fused, int inner) {
    Source all = WeightNames.from(fused);
    return names
        .row(ours + "gate", all.as(Conversion.rows(0, inner)))
        .row(ours + "up", all.as(Conversion.rows(inner, inner)));
  }
}
