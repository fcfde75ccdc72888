package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Layer;
import dev.apus.core.model.Architecture.Step;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * MiniMax-Text-01 and M1: seven layers of lightning attention to one of softmax attention, experts
 * in all, and a residual stream that is itself normalised and weighed at each step.
 */
final class MiniMax implements ModelFamily {

  private static final String ATTENTION = "full_attention";
  private static final String LIGHTNING = "linear_attention";

  /** What the reference's norm over all heads uses, whatever the config's epsilon. */
  private static final double HEADS_EPSILON = 1e-6;

  @Override
  public List<String> names() {
    return List.of(
        "MiniMaxForCausalLM", "minimax",
        "MiniMaxText01ForCausalLM", "minimax_text_01",
        "MiniMaxM1ForCausalLM", "minimax_m1");
  }

  @Override
  public Architecture describe(Config c) {
    c.ignore("block_size", "shared_moe_mode");
    if (c.has("shared_intermediate_size")
        && !List.of(0L, List.of(0L)).contains(c.raw("shared_intermediate_size"))) {
      throw c.errorAt(
          "shared_intermediate_size",
          "shared_intermediate_size=%s is not supported; published models have 0",
          c.raw("shared_intermediate_size"));
    }
    Decoder d = new Decoder(c, 131_072);
    NormSpec norm = d.rms(1e-5);
    boolean legacy = !c.word("model_type", "minimax").equals("minimax");
    NormSpec residual = c.flag("postnorm", !legacy) ? norm : null;
    RopeSettings rope = RopeSettings.read(c, legacy ? 10_000 : 1e6, 1, d.headDim, d.context);
    if (c.has("rotary_dim")) {
      rope = rope.with("dims", c.positive("rotary_dim"));
    }
    int window = c.count("sliding_window", 0);
    Part plain = rope.on(d.attention());
    Part attention = window > 0 ? plain.with("window", window) : plain;
    Part moe = Experts.local(c);
    List<String> types = types(d);
    return d.architecture(
        "minimax",
        i -> {
          boolean attends = types.get(i).equals(ATTENTION);
          Branch mixer = Branch.mixer(attends ? attention : lightning(d, i), norm);
          return new Layer(
              List.of(
                  step(c, mixer, residual, attends ? "full_attn" : "linear_attn"),
                  step(c, Branch.channel(moe, norm), residual, "mlp")));
        },
        norm);
  }

  private static Part lightning(Decoder d, int layer) {
    Map<String, Object> norm = NormSpec.rms(HEADS_EPSILON).toMap();
    norm.put("over", "row");
    Map<String, Object> decay = new LinkedHashMap<>();
    decay.put("rates", "lightning");
    decay.put("scale", 1 - layer / (d.layers - 1 + 1e-5) + 1e-5);
    return Part.of("linear-attention")
        .with("heads", d.heads)
        .with("keyDim", d.headDim)
        .with("activation", Activations.of(d.c))
        .with("scale", 1)
        .with("decay", decay)
        .with("norm", norm)
        .with("gate", "sigmoid");
  }

  /** Alpha weighs what is there, beta what is added. */
  private static Step step(Config c, Branch branch, NormSpec residual, String name) {
    return new Step(List.of(branch.scaled(factor(c, name, "beta"))), residual)
        .keeping(factor(c, name, "alpha"));
  }

  private static float factor(Config c, String name, String letter) {
    String older = name.replace("attn", "attention");
    String key =
        Decoder.spelled(c, name + "_" + letter + "_factor", "layernorm_" + older + "_" + letter);
    return c.real(key, 1);
  }

  /** The kind of each layer; the authors' own configs number them. */
  private static List<String> types(Decoder d) {
    Config c = d.c;
    List<String> numbered = new ArrayList<>();
    if (c.has("attn_type_list")) {
      c.integers("attn_type_list").forEach(n -> numbered.add(n == 0 ? LIGHTNING : ATTENTION));
      if (numbered.size() != d.layers) {
        throw c.errorAt(
            "attn_type_list",
            "attn_type_list names %d layers, num_hidden_layers=%d",
            numbered.size(),
            d.layers);
      }
    }
    List<String> types =
        d.layerTypes(
            i -> !numbered.isEmpty() ? numbered.get(i) : i % 2 == 0 ? ATTENTION : LIGHTNING);
    if (!numbered.isEmpty() && !numbered.equals(types)) {
      throw c.errorAt("attn_type_list", "attn_type_list and layer_types disagree; keep one");
    }
    types.forEach(type -> DeltaSettings.isLinear(d, type));
    return types;
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c);
    String self = Names.LAYER + "self_attn.";
    String ours = "linear-attention.";
    Source fused = WeightNames.from(self + "qkv_proj.weight");
    WeightNames names =
        Names.llama()
            .row("mixer.residual", Names.LAYER + "input_layernorm.weight")
            .row("channel.residual", Names.LAYER + "post_attention_layernorm.weight")
            .row(ours + "gate", self + "output_gate.weight")
            .row(ours + "norm", self + "norm.weight")
            .row(ours + "o", self + "out_proj.weight")
            .ignore(".*\\.self_attn\\.(slope_rate|(query|key|diagonal)_decay)");
    for (String p : new String[] {"q", "k", "v"}) {
      int from = "qkv".indexOf(p) * d.headDim;
      names.row(
          ours + p, fused.as(Conversion.ofEachGroup(d.heads, 3 * d.headDim, from, d.headDim)));
    }
    String moe = Names.LAYER + "block_sparse_moe.";
    int inner = c.positive("intermediate_size");
    return Experts.numbered(names, moe, Names.LAYER + "mlp.", d.width, inner);
  }
}
