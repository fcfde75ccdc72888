package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.model.Wiring;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Doge: attention to the tokens whose values score best, a learned factor on each value of the
 * residual stream, and in some models very many small experts beside the dense block.
 */
final class Doge implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("DogeForCausalLM", "doge");
  }

  @Override
  public Architecture describe(Config c) {
    if (c.has("sliding_window")) {
      throw c.errorAt(
          "sliding_window",
          "sliding_window=%s is not supported; published models have null",
          c.raw("sliding_window"));
    }
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms();
    Part attention =
        d.rope(Decoder.normed(d.biased(d.attention()), norm, "head", false))
            .with("keep", c.positive("keep_window_size", 2048));
    Step mixer = new Step(List.of(Branch.mixer(attention, norm)), NormSpec.SCALED);
    Branch mlp = Branch.channel(d.gatedMlp(), norm);
    Step channel = new Step(experts(c, mlp, norm), NormSpec.SCALED);
    return d.architecture("doge", i -> new Layer(List.of(mixer, channel)), norm);
  }

  private static List<Branch> experts(Config c, Branch mlp, NormSpec norm) {
    // The weights of the chosen sum to one, whether or not they are divided by their sum.
    c.ignore("norm_topk_prob");
    if (!c.flag("is_moe", false)) {
      c.ignore("num_experts", "num_experts_per_tok");
      return List.of(mlp);
    }
    int count = c.positive("num_experts", 16_384);
    int keys = (int) Math.sqrt(count);
    if (keys * keys != count) {
      throw c.errorAt("num_experts", "num_experts=%d must be a square: keys come in pairs", count);
    }
    Part experts =
        Part.of("product-keys")
            .with("keys", keys)
            .with("top", c.positive("num_experts_per_tok", 64))
            .with("activation", Activations.of(c));
    return List.of(mlp, Branch.channel(experts, norm).wired(Wiring.PLAIN.named("experts")));
  }

  @Override
  public WeightNames weights(Config c) {
    String attention = Names.LAYER + "self_attn.";
    String mlp = Names.LAYER + "mlp.";
    return Names.llama()
        .row("attention.mask", attention + "dt_proj.weight")
        .row("attention.mask.factors", attention + "A")
        .row("mixer.residual", Names.LAYER + "input_residual")
        .row("channel.residual", Names.LAYER + "post_attention_residual")
        .row("experts.channel.norm", Names.LAYER + "post_attention_layernorm.weight")
        .row("experts.product-keys.scores", mlp + "router_gate.weight")
        .row("experts.product-keys.in", mlp + "down_embed.weight")
        .row("experts.product-keys.out", mlp + "up_embed.weight");
  }
}
