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
    XlstmSettings.checkRest(c);
    XlstmSettings shape = XlstmSettings.read(c);
    int layers = c.positive(Decoder.spelled(c, "num_hidden_layers", "num_blocks"));
    Decoder d = new Decoder(c, shape.width(), layers, 1, CONTEXT);
    double epsilon = Decoder.epsilon(c, "norm_eps", 1e-6);
    NormSpec norm = NormSpec.rms(epsilon);
    Part mixer =
        Part.of("mlstm")
            .with("heads", shape.heads())
            .with("keyDim", shape.keys() / shape.heads())
            .with("valueDim", shape.values() / shape.heads())
            .with("cap", c.real("gate_soft_cap", 15))
            .with("epsilon", Decoder.epsilon(c, "eps", 1e-6))
            .with("norm", NormSpec.layer(epsilon, false).toMap());
    Part channel = d.gatedMlp(shape.inner());
    return d.architecture(
        "xlstm",
        Embedding.PLAIN,
        layer -> Decoder.preNorm(norm, mixer, channel),
        norm,
        new Head(
            c.flag("tie_word_embeddings", false), false, 1, c.real("output_logit_soft_cap", 30)));
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
    XlstmSettings s = XlstmSettings.read(c);
    if (s.fused()) {
      Source all = WeightNames.from(MIXER + "qkv_opreact.weight");
      Source gates = WeightNames.from(MIXER + "ifgate_preact.weight");
      int valuesAt = 2 * s.keys();
      names
          .row("mlstm.q", all.as(Conversion.rows(0, s.keys())))
          .row("mlstm.k", all.as(Conversion.rows(s.keys(), s.keys())))
          .row("mlstm.v", all.as(Conversion.rows(valuesAt, s.values())))
          .row("mlstm.gate", all.as(Conversion.rows(valuesAt + s.values(), s.values())))
          .row("mlstm.i", gates.as(Conversion.rows(0, s.heads())))
          .row("mlstm.f", gates.as(Conversion.rows(s.heads(), s.heads())));
      return Names.fusedGate(names, "gated-mlp.", LAYER + "ffn.proj_up_gate_z.weight", s.inner());
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
