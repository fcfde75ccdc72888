package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.Arrays;
import java.util.List;

/**
 * StableLM: layer norms, gated MLP, a quarter of each head turned; StableLM 2 normalises each head
 * with weights of its own and has attention and MLP side by side in its largest model.
 */
final class StableLm implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("StableLmForCausalLM", "stablelm");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    String epsilon = Decoder.spelled(c, "layer_norm_eps", "norm_eps");
    NormSpec norm = Decoder.layerNorm(c, epsilon, true);
    double share = c.number(Decoder.spelled(c, "partial_rotary_factor", "rope_pct"), 0.25);
    if (c.number("rotary_scaling_factor", 1) != 1) {
      throw c.errorAt(
          "rotary_scaling_factor",
          "rotary_scaling_factor=%s is not supported; supported: 1",
          c.number("rotary_scaling_factor"));
    }
    Part turned =
        RopeSettings.read(c, 10_000, share, d.headDim, d.context)
            .on(d.attention())
            .with("biased", c.flag("use_qkv_bias", false));
    Part attention =
        c.flag("qk_layernorm", false)
            ? Decoder.normed(turned, Decoder.layerNorm(c, epsilon, false), "each-head", false)
            : turned;
    Part mlp = d.gatedMlp();
    Layer layer =
        c.flag("use_parallel_residual", false)
            ? Decoder.parallel(norm, attention, mlp)
            : Decoder.preNorm(norm, attention, mlp);
    return d.architecture("stablelm", i -> layer, norm);
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c);
    String second =
        c.flag("use_parallel_residual", false) ? "input_layernorm" : "post_attention_layernorm";
    return Names.outer()
        .row("mixer.norm", Names.LAYER + "input_layernorm.weight")
        .row("channel.norm", Names.LAYER + second + ".weight")
        .row("attention.q.norm", eachHead("q", d.heads, d.headDim))
        .row("attention.k.norm", eachHead("k", d.kvHeads, d.headDim));
  }

  private static Source eachHead(String projection, int heads, int headDim) {
    String[] names = new String[heads];
    for (int head = 0; head < heads; head++) {
      names[head] =
          Names.LAYER + "self_attn." + projection + "_layernorm.norms." + head + ".weight";
    }
    int[] rows = new int[heads];
    Arrays.fill(rows, headDim);
    return WeightNames.joined(rows, names);
  }
}
