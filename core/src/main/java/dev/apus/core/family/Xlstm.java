package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Embedding;
import dev.apus.core.model.Architecture.Head;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.Conversion;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.WeightNames.Source;
import java.util.List;

/** xLSTM 7B and models made like it: layers of mLSTM, and gated blocks. */
final class Xlstm implements ModelFamily {

  private static final String LAYER = "backbone.blocks.{i}.";
  private static final String MIXER = LAYER + "mlstm_layer.";

  /** What it was trained on; configs do not say. */
  private static final int CONTEXT = 8192;

  @Override
  public List<String> names() {
    return List.of("xLSTMForCausalLM", "xlstm");
  }

  @Override
  public Architecture describe(Config c) {
    ignored(c);
    for (String flag : new String[] {"add_out_norm", "add_post_blocks_norm"}) {
      Decoder.only(c, flag, true);
    }
    for (String flag : new String[] {"use_bias", "add_post_norm", "add_qk_norm"}) {
      Decoder.only(c, flag, false);
    }
    Shape shape = Shape.read(c);
    int layers = c.positive(Decoder.spelled(c, "num_hidden_layers", "num_blocks"));
    Decoder d = new Decoder(c, shape.width, layers, 1, CONTEXT);
    double epsilon = Decoder.epsilon(c, "norm_eps", 1e-6);
    NormSpec norm = NormSpec.rms(epsilon);
    Part mixer =
        Part.of("mlstm")
            .with("heads", shape.heads)
            .with("keyDim", shape.keys / shape.heads)
            .with("valueDim", shape.values / shape.heads)
            .with("cap", c.real("gate_soft_cap", 15))
            .with("epsilon", Decoder.epsilon(c, "eps", 1e-6))
            .with("norm", NormSpec.layer(epsilon, false).toMap());
    Part channel = d.gatedMlp(shape.inner);
    return d.architecture(
        "xlstm",
        Embedding.PLAIN,
        layer -> Decoder.preNorm(norm, mixer, channel),
        norm,
        new Head(
            c.flag("tie_word_embeddings", false), false, 1, c.real("output_logit_soft_cap", 30)));
  }

  /** How the reference computes, what it began training with, and what follows from the rest. */
  private static void ignored(Config c) {
    c.ignore(
        "add_embedding_dropout",
        "add_forward_backend_padding",
        "autocast_kernel_dtype",
        "cell_norm_eps",
        "chunk_size",
        "chunkwise_kernel",
        "force_bos_token_insert",
        "head_dim",
        "igate_bias_init_range",
        "inference_state_dtype",
        "max_inference_chunksize",
        "mlstm_round_up_to_multiple_of",
        "mode",
        "norm_reduction_force_float32",
        "return_last_states",
        "sequence_kernel",
        "step_kernel");
  }

  /**
   * @param keys all keys of a layer; likewise {@code values}
   * @param inner values of a block between its two stages
   * @param fused whether matrices that read the same rows are one tensor
   */
  private record Shape(int width, int heads, int keys, int values, int inner, boolean fused) {

    static Shape read(Config c) {
      int width = c.positive(Decoder.spelled(c, "hidden_size", "embedding_dim"));
      int heads = c.positive("num_heads", 8);
      int step = c.positive("ffn_round_up_to_multiple_of", 64);
      double inner = share(c, "ffn_proj_factor", 2.667, width);
      double rounded = Math.floor((inner + step - 1) / step) * step;
      if (rounded > Integer.MAX_VALUE) {
        throw c.errorAt("ffn_proj_factor", "%s values are too many to compute", rounded);
      }
      return new Shape(
          width,
          heads,
          ofHeads(c, "qk_dim_factor", 0.5, width, heads),
          ofHeads(c, "v_dim_factor", 1, width, heads),
          (int) rounded,
          c.choice("weight_mode", "single", "single", "fused").equals("fused"));
    }

    private static double share(Config c, String key, double absent, int width) {
      double size = width * c.number(key, absent);
      if (!(size >= 1 && size <= Integer.MAX_VALUE)) {
        throw c.errorAt(key, "%s=%s of %d is no size", key, c.number(key, absent), width);
      }
      return size;
    }

    private static int ofHeads(Config c, String key, double absent, int width, int heads) {
      int size = (int) share(c, key, absent, width);
      if (size % heads != 0) {
        throw c.errorAt(
            key,
            "%s=%s makes %d values, which are not divisible by num_heads=%d",
            key,
            c.number(key, absent),
            size,
            heads);
      }
      return size;
    }
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names =
        new WeightNames()
            .row("embedding", "backbone.embeddings.weight")
            .row("norm", "backbone.out_norm.weight")
            .row("head", "lm_head.weight")
            .row("mixer.norm", LAYER + "norm_mlstm.weight")
            .row("channel.norm", LAYER + "norm_ffn.weight")
            .row("gated-mlp.down", LAYER + "ffn.proj_down.weight")
            .row("mlstm.norm", MIXER + "multihead_norm.weight")
            .row("mlstm.o", MIXER + "out_proj.weight");
    Shape s = Shape.read(c);
    if (s.fused) {
      Source all = WeightNames.from(MIXER + "qkv_opreact.weight");
      Source gates = WeightNames.from(MIXER + "ifgate_preact.weight");
      int valuesAt = 2 * s.keys;
      names
          .row("mlstm.q", all.as(Conversion.rows(0, s.keys)))
          .row("mlstm.k", all.as(Conversion.rows(s.keys, s.keys)))
          .row("mlstm.v", all.as(Conversion.rows(valuesAt, s.values)))
          .row("mlstm.gate", all.as(Conversion.rows(valuesAt + s.values, s.values)))
          .row("mlstm.i", gates.as(Conversion.rows(0, s.heads)))
          .row("mlstm.f", gates.as(Conversion.rows(s.heads, s.heads)));
      return Names.fusedGate(names, "gated-mlp.", LAYER + "ffn.proj_up_gate_z.weight", s.inner);
    }
    for (String p : new String[] {"q", "k", "v"}) {
      names.row("mlstm." + p, MIXER + p + ".weight");
    }
    return names
        .row("mlstm.gate", MIXER + "ogate_preact.weight")
        .row("mlstm.i", MIXER + "igate_preact.weight")
        .row("mlstm.f", MIXER + "fgate_preact.weight")
        .row("gated-mlp.gate", LAYER + "ffn.proj_up_gate.weight")
        .row("gated-mlp.up", LAYER + "ffn.proj_up.weight");
  }
}
