package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.HyperSpec;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * DeepSeek-V4: attention to a window and to compressed entries, several residual streams, and
 * experts in every layer, which in the first few a table names for each token.
 */
final class DeepSeekV4 implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("DeepseekV4ForCausalLM", "deepseek_v4");
  }

  @Override
  public Architecture describe(Config c) {
    // What predicts further tokens, how experts were trained, and what the rates already say.
    c.ignore("num_nextn_predict_layers", "topk_method", "layer_types", "compress_ratios");
    Decoder.only(c, "attention_bias", false);
    Decoder.only(c, "mlp_bias", false);
    Decoder d = new Decoder(c, 1_048_576);
    NormSpec norm = d.rms();
    CompressedSettings attention = CompressedSettings.read(d, norm);
    List<String> experts =
        d.layerTypes(
            "mlp_layer_types", i -> i < c.count("num_hash_layers", 3) ? "hash_moe" : "moe");
    HyperSpec hyper =
        new HyperSpec(
            c.positive("hc_mult", 4),
            c.positive("hc_sinkhorn_iters", 20),
            Decoder.epsilon(c, "hc_eps", 1e-6),
            norm.epsilon(),
            false);
    return d.architecture(
            "deepseek-v4",
            i ->
                Layer.of(
                    Branch.mixer(attention.part(c, i), norm),
                    Branch.channel(experts(c, experts.get(i)), norm)),
            norm)
        .joined(hyper);
  }

  private static Part experts(Config c, String type) {
    Decoder.only(c, "norm_topk_prob", true);
    int inner = c.positive("moe_intermediate_size");
    if (c.positive("n_shared_experts", 1) != 1) {
      throw c.errorAt(
          "n_shared_experts",
          "n_shared_experts=%d is not supported; supported: 1",
          c.positive("n_shared_experts"));
    }
    Part moe =
        Part.of("moe")
            .with("experts", c.positive("n_routed_experts"))
            .with("top", c.positive("num_experts_per_tok"))
            .with("score", score(c))
            .with("epsilon", 1e-20)
            .with("scale", c.real("routed_scaling_factor", 1.5f))
            .with("inner", inner)
            .with("activation", Activations.of(c))
            .with("limit", c.real("swiglu_limit", 10))
            .with("sharedInner", inner);
    return switch (type) {
      case "moe" -> moe.with("biased", true);
      case "hash_moe" -> moe.with("hashed", true).with("vocabulary", c.positive("vocab_size"));
      default ->
          throw c.errorAt(
              "mlp_layer_types",
              "mlp_layer_types holds \"%s\"; this family has hash_moe and moe",
              type);
    };
  }

  private static String score(Config c) {
    String name = c.choice("scoring_func", "sqrtsoftplus", "sqrtsoftplus", "softmax", "sigmoid");
    return name.equals("sqrtsoftplus") ? "sqrt-softplus" : name;
  }

  /** Published files are without the prefix {@code model.}, and have a few names of their own. */
  @Override
  public WeightNames weights(Config c) {
    WeightNames names =
        new WeightNames()
            .row("embedding", "model.embed.weight")
            .row("embedding", "model.embed_tokens.weight")
            .row("head", "head.weight")
            .row("norm", "model.norm.weight")
            .row("mixer.norm", Names.LAYER + "attn_norm.weight")
            .row("channel.norm", Names.LAYER + "ffn_norm.weight")
            .prefix("model.", "")
            .ignore("(model\\.)?mtp\\..*");
    hyper(names, "hyper", "model.hc_head_");
    hyper(names, "hyper", "model.hc_head.hc_");
    hyper(names, "mixer.hyper", Names.LAYER + "hc_attn_");
    hyper(names, "channel.hyper", Names.LAYER + "hc_ffn_");
    String moe = Names.LAYER + "ffn.";
    return CompressedSettings.names(Experts.numbered(names, moe))
        .row("moe.router.correction", moe + "gate.bias")
        .row("moe.router.table", moe + "gate.tid2eid")
        .row("moe.shared.gate", moe + "shared_experts.w1.weight")
        .row("moe.shared.up", moe + "shared_experts.w3.weight")
        .row("moe.shared.down", moe + "shared_experts.w2.weight");
  }

  private static void hyper(WeightNames names, String ours, String theirs) {
    names
        .row(ours, theirs + "fn")
        .row(ours + ".scale", theirs + "scale")
        .row(ours + ".bias", theirs + "base");
  }
}
