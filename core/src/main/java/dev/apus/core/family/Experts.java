package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * What families with experts share: the channel mixers of Qwen's layers, which are experts in most
 * and a dense block in the others; a router that several took over; and names.
 */
final class Experts {

  private final Part experts;
  private final Part dense;
  private final int step;
  private final List<Integer> denseLayers;

  private Experts(Part experts, Part dense, int step, List<Integer> denseLayers) {
    this.experts = experts;
    this.dense = dense;
    this.step = step;
    this.denseLayers = denseLayers;
  }

  static Experts read(Decoder d) {
    Config c = d.c;
    int count = c.count("num_experts", c.count("num_local_experts", 0));
    if (count == 0) {
      return new Experts(null, d.gatedMlp(), 1, List.of());
    }
    Part moe =
        Part.of("moe")
            .with("experts", count)
            .with("top", c.positive("num_experts_per_tok"))
            .with("normalized", c.flag("norm_topk_prob", true))
            .with("inner", c.positive("moe_intermediate_size"))
            .with("activation", Activations.of(c));
    int shared = c.count("shared_expert_intermediate_size", 0);
    if (shared > 0) {
      moe = moe.with("sharedInner", shared).with("sharedGated", true);
    }
    int step = c.positive("decoder_sparse_step", 1);
    List<Integer> denseLayers =
        c.has("mlp_only_layers") ? c.integers("mlp_only_layers") : List.of();
    boolean mixed = step > 1 || !denseLayers.isEmpty();
    c.ignore("intermediate_size");
    return new Experts(moe, mixed ? d.gatedMlp() : null, step, denseLayers);
  }

  /** The experts of Mixtral, under names that others took over. */
  static Part local(Config c) {
    return Part.of("moe")
        .with("experts", c.positive("num_local_experts"))
        .with("top", c.positive("num_experts_per_tok"))
        .with("inner", c.positive("intermediate_size"))
        .with("activation", Activations.of(c));
  }

  /** The experts of DeepSeek, whose shared ones are one of their total width. */
  static Part routed(Config c) {
    int inner = c.positive("moe_intermediate_size");
    Part moe =
        Part.of("moe")
            .with("experts", c.positive("n_routed_experts"))
            .with("top", c.positive("num_experts_per_tok"))
            .with("inner", inner)
            .with("activation", Activations.of(c));
    int shared = c.count("n_shared_experts", 0);
    return shared == 0 ? moe : moe.with("sharedInner", shared * inner);
  }

  /** The channel mixer of a layer. */
  Part channel(int layer) {
    return experts == null || denseLayers.contains(layer) || (layer + 1) % step != 0
        ? dense
        : experts;
  }

  /**
   * These experts with the router of DeepSeek-V3, which others took over under other names: a
   * sigmoid of each logit, corrected for the choice, among the best groups.
   *
   * @param groups the key of how many groups there are
   * @param normalized the key of whether the chosen scores are normalised
   */
  static Part corrected(Part moe, Config c, String groups, String normalized) {
    float scale = c.real("routed_scaling_factor");
    return corrected(moe, c.positive(groups), c.positive("topk_group"), scale, c.flag(normalized));
  }

  /** The same for a config that may leave out what is as usual. */
  static Part corrected(Part moe, Config c, boolean normalized) {
    return corrected(
        moe,
        c.positive("n_group", 1),
        c.positive("topk_group", 1),
        c.real("routed_scaling_factor", 1),
        c.flag("norm_topk_prob", normalized));
  }

  /** The same with its settings. */
  static Part corrected(Part moe, int groups, int top, float scale, boolean normalized) {
    Part limited =
        groups == 1 && top == 1 ? moe : moe.with("groups", groups).with("topGroups", top);
    Part router = limited.with("score", "sigmoid").with("biased", true).with("scale", scale);
    return normalized ? router.with("epsilon", 1e-20) : router.with("normalized", false);
  }

  /**
   * Which layers have experts: a config names the kind of each, or says how many come before them.
   *
   * @param absent how many come before them, if it says neither
   */
  static List<Boolean> sparse(Decoder d, int absent) {
    Config c = d.c;
    if (c.positive("moe_layer_freq", 1) != 1) {
      throw c.errorAt(
          "moe_layer_freq",
          "moe_layer_freq=%s is not supported; supported: 1",
          c.raw("moe_layer_freq"));
    }
    int dense = c.count("first_k_dense_replace", absent);
    return d.layerTypes("mlp_layer_types", i -> i < dense ? "dense" : "sparse").stream()
        .map(type -> isSparse(c, type))
        .toList();
  }

  private static boolean isSparse(Config c, String type) {
    return switch (type) {
      case "sparse" -> true;
      case "dense" -> false;
      default ->
          throw c.errorAt(
              "mlp_layer_types",
              "mlp_layer_types holds \"%s\"; this family has dense and sparse",
              type);
    };
  }

  /** Rows for experts that lie in one tensor each. */
  static WeightNames names(WeightNames names) {
    String mlp = Names.LAYER + "mlp.";
    Names.gatedMlp(names, "moe.expert.", mlp + "experts.{e}.");
    Names.gatedMlp(names, "moe.shared.", mlp + "shared_expert.");
    return names
        .row("moe.router", mlp + "gate.weight")
        .row("moe.shared.gating", mlp + "shared_expert_gate.weight");
  }

  /** The rows of DeepSeek, whose experts lie in one tensor each or are fused. */
  static WeightNames routed(WeightNames names, Decoder d) {
    String mlp = Names.LAYER + "mlp.";
    names(fused(names, d.width, d.c.positive("moe_intermediate_size")));
    Names.gatedMlp(names, "moe.shared.", mlp + "shared_experts.");
    return names.row("moe.router.correction", mlp + "gate.e_score_correction_bias");
  }

  /** Rows of layers after the last, which predict further tokens and are not run. */
  static WeightNames withoutFurther(WeightNames names, Decoder d) {
    for (int i = 0; i < further(d.c); i++) {
      names.ignore("model\\.layers\\." + (d.layers + i) + "\\..*");
    }
    return names;
  }

  /** How many of these layers there are. */
  static int further(Config c) {
    return Math.max(c.count("num_nextn_predict_layers", 0), c.count("num_mtp_layers", 0));
  }

  /** Rows for experts whose matrices are called {@code w1}, {@code w3} and {@code w2}. */
  static WeightNames numbered(WeightNames names, String moe) {
    String expert = moe + "experts.{e}.";
    return names
        .row("moe.router", moe + "gate.weight")
        .row("moe.expert.gate", expert + "w1.weight")
        .row("moe.expert.up", expert + "w3.weight")
        .row("moe.expert.down", expert + "w2.weight");
  }

  /**
   * The same, for a family whose files may also have been written again with fused experts, and
   * everything of theirs in another block.
   *
   * @param later this block, such as {@code model.layers.{i}.mlp.}
   */
  static WeightNames numbered(WeightNames names, String moe, String later, int width, int inner) {
    fused(names, later, width, inner).row("moe.router", later + "gate.weight");
    return numbered(names, moe);
  }

  /** More rows, for experts that are fused in tensors of three dimensions. */
  static WeightNames fused(WeightNames names, int width, int inner) {
    return fused(names, Names.LAYER + "mlp.", width, inner);
  }

  /** The same in another block. */
  static WeightNames fused(WeightNames names, String block, int width, int inner) {
    String experts = block + "experts.";
    return fused(names, experts + "gate_up_proj", experts + "down_proj", width, inner);
  }

  /** The same under other names. */
  static WeightNames fused(WeightNames names, String gateUp, String down, int width, int inner) {
    return names
        .row("moe.expert.gate", fusedRows(gateUp, 2 * inner, 0, inner))
        .row("moe.expert.up", fusedRows(gateUp, 2 * inner, inner, inner))
        .row("moe.expert.down", fusedRows(down, width, 0, width));
  }

  private static WeightNames.Source fusedRows(String name, int stride, int from, int count) {
    return WeightNames.from(name).ofExpert(stride, from, count);
  }
}
