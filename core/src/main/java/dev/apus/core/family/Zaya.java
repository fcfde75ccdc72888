package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * ZAYA: attention of convolved queries and keys, one expert a token or none, chosen by routers that
 * go on from layer to layer, and residual streams that each layer scales.
 */
final class Zaya implements ModelFamily {

  private static final List<String> KINDS = List.of("hybrid", "hybrid_sliding");

  @Override
  public List<String> names() {
    return List.of("ZayaForCausalLM", "zaya");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder d = new Decoder(c);
    NormSpec norm = d.rms(1e-5);
    List<String> types = d.layerTypes(i -> "hybrid");
    Part attention =
        d.biased(Part.of("convolutional-attention"))
            .with("heads", d.heads)
            .with("kvHeads", d.kvHeads)
            .with("headDim", d.headDim)
            .with("taps", c.positive("cca_time0", 2))
            .with("headTaps", c.positive("cca_time1", 2));
    // Published configs have a type beside the sections, too.
    Config rope = c.section("rope_parameters");
    rope.ignore("rope_type");
    for (String type : KINDS) {
      if (!types.contains(type)) {
        rope.ignore(type);
      }
    }
    c.ignore("sliding_window");
    return d.architecture(
        "zaya",
        new Embedding(1, 0, NormSpec.AFFINE),
        i ->
            new Layer(
                List.of(
                    scaled(Branch.mixer(turned(d, attention, types.get(i)), norm)),
                    scaled(Branch.channel(experts(c, norm, i), norm)))),
        norm,
        new Head(c.flag("tie_word_embeddings", true), c.flag("lm_head_bias", false), 1, 0));
  }

  private static Step scaled(Branch branch) {
    return new Step(List.of(branch.after(NormSpec.AFFINE)), NormSpec.AFFINE);
  }

  private static Part turned(Decoder d, Part attention, String type) {
    if (!KINDS.contains(type)) {
      throw d.c.errorAt(
          "layer_types",
          "layer_types holds \"%s\"; this family has hybrid and hybrid_sliding",
          type);
    }
    Config rope = d.c.section("rope_parameters").section(type);
    Part turned = RopeSettings.of(d.c, rope, 10_000, d.headDim, d.context).on(attention);
    return type.equals("hybrid") ? turned : turned.with("window", d.c.positive("sliding_window"));
  }

  private static Part experts(Config c, NormSpec norm, int layer) {
    if (c.positive("num_experts_per_tok", 1) != 1) {
      throw c.errorAt(
          "num_experts_per_tok",
          "num_experts_per_tok=%d is not supported; supported: 1",
          c.positive("num_experts_per_tok"));
    }
    Map<String, Object> router = new LinkedHashMap<>();
    router.put("hidden", c.positive("router_hidden_size"));
    router.put("activation", "gelu");
    router.put("epsilon", norm.epsilon());
    router.put("carried", layer > 0);
    return Part.of("moe")
        .with("experts", c.positive("num_experts"))
        .with("zeroExperts", 1)
        .with("top", 1)
        .with("biased", true)
        .with("normalized", false)
        .with("inner", c.positive("moe_intermediate_size"))
        .with("activation", Activations.of(c))
        .with("router", router);
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c);
    String attention = Names.LAYER + "self_attn.";
    String qkv = attention + "qkv_proj.";
    String gate = Names.LAYER + "mlp.gate.";
    String ours = "convolutional-attention.";
    int taps = c.positive("cca_time1", 2);
    int channels = (d.heads + d.kvHeads) * d.headDim;
    WeightNames names = Experts.fused(Names.llama(), d.width, c.positive("moe_intermediate_size"));
    scales(names, "embedding.norm", "model.input_hidden_states");
    for (String[] step : new String[][] {{"mixer", "attention"}, {"channel", "mlp"}}) {
      String scale = Names.LAYER + "post_" + step[1] + "_residual_scale.";
      scales(names, step[0] + ".after", scale + "hidden_states");
      scales(names, step[0] + ".residual", scale + "residual");
    }
    return names
        .row("embedding.bias", "lm_head.bias")
        .row(ours + "q", qkv + "q_proj.weight")
        .row(ours + "k", qkv + "k_proj.weight")
        .row(ours + "v.now", qkv + "v_proj_current.weight")
        .row(ours + "v.before", qkv + "v_proj_delayed.weight")
        .row(ours + "conv", qkv + "conv_qk_depthwise.weight")
        .row(
            ours + "mix",
            // A head's row of values for each of its values and taps: ours are taps apart.
            WeightNames.from(qkv + "conv_qk_grouped.weight")
                .as(Conversion.transposed(d.headDim, taps))
                .as(
                    Conversion.gather(
                        taps * channels, row -> row % channels * taps + row / channels)))
        .row(ours + "mix.bias", qkv + "conv_qk_grouped.bias")
        .row(ours + "temperature", attention + "qk_norm.temp")
        .row(ours + "o", attention + "o_proj.weight")
        .row("moe.router.state", gate + "down_proj.weight")
        .row("moe.router.carry", gate + "router_states_scale")
        .row("moe.router.norm", gate + "router_mlp.norm.weight")
        .row("moe.router.first", gate + "router_mlp.fc1.weight")
        .row("moe.router.second", gate + "router_mlp.fc2.weight")
        .row("moe.router.out", gate + "router_mlp.out_proj.weight")
        .row("moe.router.correction", gate + "balancing_biases");
  }

  private static void scales(WeightNames names, String ours, String theirs) {
    names.row(ours, theirs + "_scale").row(ours + ".bias", theirs + "_bias");
  }
}
