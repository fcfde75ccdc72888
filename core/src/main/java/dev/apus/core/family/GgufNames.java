package dev.apus.core.family;

import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;

/** Rows of GGUF's name tables, which all families share. */
final class GgufNames {

  static final String BLOCK = "blk.{i}.";

  private GgufNames() {}

  static WeightNames decoder() {
    WeightNames names =
        new WeightNames()
            .row("embedding", "token_embd.weight")
            .row("norm", "output_norm.weight")
            .row("head", "output.weight")
            .row("mixer.norm", BLOCK + "attn_norm.weight")
            .row("mixer.after", BLOCK + "post_attention_norm.weight")
            .row("channel.norm", BLOCK + "ffn_norm.weight")
            .row("channel.after", BLOCK + "post_ffw_norm.weight")
            .row("attention.o", BLOCK + "attn_output.weight")
            .row("attention.q.norm", BLOCK + "attn_q_norm.weight")
            .row("attention.k.norm", BLOCK + "attn_k_norm.weight");
    for (String part : new String[] {"q", "k", "v"}) {
      names.row("attention." + part, BLOCK + "attn_" + part + ".weight");
    }
    for (String part : new String[] {"gate", "up", "down"}) {
      names.row("gated-mlp." + part, BLOCK + "ffn_" + part + ".weight");
    }
    return names;
  }

  /** Experts in tensors of three dimensions, and those that every token goes to. */
  static WeightNames experts(WeightNames names, int width, int inner) {
    for (String part : new String[] {"gate", "up", "down"}) {
      int rows = part.equals("down") ? width : inner;
      names
          .row(
              "moe.expert." + part,
              WeightNames.from(BLOCK + "ffn_" + part + "_exps.weight").ofExpert(rows, 0, rows))
          .row("moe.shared." + part, BLOCK + "ffn_" + part + "_shexp.weight");
    }
    return names
        .row("moe.router", BLOCK + "ffn_gate_inp.weight")
        .row("moe.router.correction", BLOCK + "exp_probs_b.bias")
        .row("moe.shared.gating", BLOCK + "ffn_gate_inp_shexp.weight");
  }

  /** Latent attention, whose key matrices are turned; older files have one matrix for both. */
  static WeightNames latent(WeightNames names, LatentSettings latent) {
    String ours = LatentSettings.OURS;
    Source down = WeightNames.from(BLOCK + "attn_kv_a_mqa.weight");
    int heads = latent.d().heads;
    names
        .shaped(BLOCK + "attn_k_b.weight", heads, latent.latent(), latent.ownDim())
        .shaped(BLOCK + "attn_v_b.weight", heads, latent.valueDim(), latent.latent());
    return latent
        .up(names, WeightNames.from(BLOCK + "attn_kv_b.weight"))
        .row(ours + "k", BLOCK + "attn_k_b.weight")
        .row(ours + "v", BLOCK + "attn_v_b.weight")
        .row(ours + "q.latent", BLOCK + "attn_q_a.weight")
        .row(ours + "q.norm", BLOCK + "attn_q_a_norm.weight")
        .row(ours + "q", BLOCK + (latent.queryLatent() == 0 ? "attn_q.weight" : "attn_q_b.weight"))
        .row(ours + "latent", down.as(Conversion.rows(0, latent.latent())))
        .row(ours + "latent.norm", BLOCK + "attn_kv_a_norm.weight")
        .row(ours + "k.shared", down.as(Conversion.rows(latent.latent(), latent.sharedDim())))
        .row(ours + "o", BLOCK + "attn_output.weight");
  }

  /** What Gated DeltaNet layers of all kinds have. */
  static WeightNames delta(WeightNames names) {
    String ours = DeltaSettings.OURS;
    return names
        .row(ours + "b", BLOCK + "ssm_beta.weight")
        .row(ours + "decay", BLOCK + "ssm_a")
        .row(ours + "dtBias", BLOCK + "ssm_dt.bias")
        .row(ours + "norm", BLOCK + "ssm_norm.weight");
  }

  /** Queries and keys that converters rearrange as those of Llama. */
  static WeightNames turned(WeightNames names, Decoder d) {
    Source queries = WeightNames.from(BLOCK + "attn_q.weight");
    Source keys = WeightNames.from(BLOCK + "attn_k.weight");
    return names
        .row("attention.q", queries.as(halves(d.heads, d.headDim)))
        .row("attention.k", keys.as(halves(d.kvHeads, d.headDim)));
  }

  /**
   * Rows of heads whose rotated pairs are neighbours, with the first halves of all pairs before the
   * second. Converters of llama files put them the other way round.
   */
  static Conversion halves(int heads, int headDim) {
    int half = headDim / 2;
    return Conversion.gather(
        heads * headDim,
        row -> {
          int at = row % headDim;
          return row - at + 2 * (at % half) + at / half;
        });
  }
}
