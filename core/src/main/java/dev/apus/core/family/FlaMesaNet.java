package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** MesaNet models of flash-linear-attention. */
final class FlaMesaNet implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("MesaNetForCausalLM", "mesa_net");
  }

  @Override
  public Architecture describe(Config c) {
    FlaDecoder d = new FlaDecoder(c);
    // The layer convolves whatever this says.
    c.ignore("use_short_conv");
    return d.architecture(
        "mesa-net",
        Part.of("mesa-net")
            .with("heads", heads(c))
            .with("headDim", headDim(c))
            .with("taps", c.positive("conv_size", 4))
            .with("steps", steps(c))
            .with("leastRidge", c.number("lambda_lower_bound", 0.25))
            .with("norm", d.norm.toMap())
            .with("gate", c.flag("use_output_gate", false) ? "silu" : "none"));
  }

  /** Prompts and generated tokens are computed alike, so their steps must be as many. */
  private static int steps(Config c) {
    int prompts = c.positive("max_cg_step_training", 30);
    int generated = c.positive("max_cg_step_decoding", 30);
    if (prompts != generated) {
      throw c.errorAt(
          "max_cg_step_decoding",
          "max_cg_step_decoding=%d is not supported with max_cg_step_training=%d; supported: the"
              + " same number for both",
          generated,
          prompts);
    }
    return prompts;
  }

  private static int heads(Config c) {
    return c.positive("num_heads", 16);
  }

  private static int headDim(Config c) {
    return c.positive("head_dim", 128);
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = FlaNames.outer();
    String ours = "mesa-net.";
    String mixer = FlaNames.MIXER;
    int inner = heads(c) * headDim(c);
    for (String p : new String[] {"q", "k", "v", "o", "a", "b"}) {
      names.row(ours + p, mixer + p + "_proj.weight");
    }
    return names
        .row(ours + "a.bias", mixer + "a_proj.bias")
        .row(ours + "b.bias", mixer + "b_proj.bias")
        .row(ours + "z", mixer + "g_proj.weight")
        .row(
            ours + "conv",
            WeightNames.joined(
                new int[] {inner, inner}, mixer + "q_conv1d.weight", mixer + "k_conv1d.weight"))
        .row(ours + "ridge", mixer + "lambda_params")
        .row(ours + "norm", mixer + "o_norm.weight");
  }
}
