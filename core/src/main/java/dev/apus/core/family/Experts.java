package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** The channel mixers of Qwen's layers: experts in most, a dense block in the others. */
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

  /** The channel mixer of a layer. */
  Part channel(int layer) {
    return experts == null || denseLayers.contains(layer) || (layer + 1) % step != 0
        ? dense
        : experts;
  }

  /** Rows for experts that lie in one tensor each, or fused in one tensor of three dimensions. */
  static WeightNames names(WeightNames names) {
    String mlp = Names.LAYER + "mlp.";
    Names.gatedMlp(names, "moe.expert.", mlp + "experts.{e}.");
    Names.gatedMlp(names, "moe.shared.", mlp + "shared_expert.");
    return names
        .row("moe.router", mlp + "gate.weight")
        .row("moe.shared.gating", mlp + "shared_expert_gate.weight");
  }

  /** More rows, for experts that are fused in tensors of three dimensions. */
  static WeightNames fused(WeightNames names, int width, int inner) {
    String experts = Names.LAYER + "mlp.experts.";
    return names
        .row("moe.expert.gate", fusedRows(experts + "gate_up_proj", 2 * inner, 0, inner))
        .row("moe.expert.up", fusedRows(experts + "gate_up_proj", 2 * inner, inner, inner))
        .row("moe.expert.down", fusedRows(experts + "down_proj", width, 0, width));
  }

  private static WeightNames.Source fusedRows(String name, int stride, int from, int count) {
    return WeightNames.from(name).ofExpert(stride, from, count);
  }
}
