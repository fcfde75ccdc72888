package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Models of flash-linear-attention whose layers have mixtures of memories. */
final class FlaMom implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("MomForCausalLM", "mom");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    c.choice("mom_backend", "gated_deltanet", "gated_deltanet");
    // The reference refuses to build a layer without a convolution.
    Decoder.only(c, "use_short_conv", true);
    // Of training; no memory has a capacity in the reference's own layer.
    c.ignore("aux_loss_scale", "capacity", "use_layer_wise_balance");
    int dim = keyDim(c);
    return d.architecture(
        "mom",
        Part.of("mixture-of-memories")
            .with("memories", c.positive("num_memories", 4))
            .with("top", c.positive("topk", 2))
            .with("shared", c.flag("shared_mem", true))
            .with("apart", !c.flag("single_kv_proj", false))
            .with("keyHeads", heads(c))
            .with("keyDim", dim)
            .with("valueDim", d.expanded("expand_v", 1, dim))
            .with("taps", c.positive("conv_size", 4))
            .with("gate", c.flag("use_output_gate", true) ? "silu" : "none")
            .with("epsilon", d.norm.epsilon()));
  }

  private static int heads(Config c) {
    return c.positive("num_heads", 4);
  }

  private static int keyDim(Config c) {
    return c.positive("head_dim", 256);
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = FlaNames.outer();
    String ours = "mixture-of-memories.";
    String mixer = FlaNames.MIXER;
    int dim = keyDim(c);
    int keys = heads(c) * dim;
    int values = heads(c) * new FlaDecoder(c).expanded("expand_v", 1, dim);
    for (String p : new String[] {"k", "v", "a", "b"}) {
      names.row(ours + "memory." + p, mixer + p + "_proj.{e}.weight");
      names.row(ours + "shared." + p, mixer + "shared_" + p + ".weight");
    }
    return names
        .row(ours + "router", mixer + "gate.weight")
        .row(ours + "q", mixer + "q_proj.weight")
        .row(ours + "z", mixer + "g_proj.weight")
        .row(ours + "o", mixer + "o_proj.weight")
        .row(
            ours + "conv",
            WeightNames.joined(
                new int[] {keys, keys, values},
                mixer + "q_conv1d.weight",
                mixer + "k_conv1d.weight",
                mixer + "v_conv1d.weight"))
        .row(ours + "decay", WeightNames.from(mixer + "A_log").as(Conversion.MINUS_EXP))
        .row(ours + "dtBias", mixer + "dt_bias")
        .row(ours + "norm", mixer + "o_norm.weight");
  }
}
