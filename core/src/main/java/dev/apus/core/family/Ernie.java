package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Part;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * ERNIE 4.5 with experts: heads turned in neighbouring pairs, and a softmax over all experts that
 * is corrected for the choice.
 */
final class Ernie implements ModelFamily {

  @Override
  public List<String> names() {
    return List.of("Ernie4_5_MoeForCausalLM", "ernie4_5_moe");
  }

  @Override
  public Architecture describe(Config c) {
    Decoder.only(c, "use_bias", false);
    Decoder.only(c, "use_rmsnorm", true);
    Decoder.only(c, "moe_use_aux_free", true);
    Decoder.only(c, "is_quantized", false);
    c.choice("moe_gate", "topk", "topk");
    c.choice("moe_gate_act", "softmax", "softmax");
    // How many tokens an expert took in training, and what predicts further tokens.
    c.ignore("moe_capacity", "num_nextn_predict_layers");
    Decoder d = new Decoder(c, 131_072);
    NormSpec norm = d.rms(1e-5);
    RopeSettings rope = RopeSettings.read(c, 500_000, 1, d.headDim, d.context).interleaved();
    Part attention = rope.on(d.attention());
    int first = c.count("moe_layer_start_index", 1);
    long end = c.isNull("moe_layer_end_index") ? -1 : c.integer("moe_layer_end_index", -1);
    long last = end == -1 ? d.layers - 1 : end;
    int step = c.positive("moe_layer_interval", 1);
    Part dense = d.gatedMlp();
    Part experts = experts(c);
    return d.architecture(
        "ernie4_5_moe",
        Architecture.Embedding.PLAIN,
        i -> {
          boolean sparse = (i + 1) % step == 0 && i >= first && i <= last;
          return Decoder.preNorm(norm, attention, sparse ? experts : dense);
        },
        norm,
        Architecture.Head.of(c.flag("tie_word_embeddings", true)));
  }

  private static Part experts(Config c) {
    int inner = c.positive("moe_intermediate_size");
    Part moe =
        Part.of("moe")
            .with("experts", c.positive("moe_num_experts"))
            .with("top", c.positive("moe_k", 6))
            .with("inner", inner)
            .with("activation", Activations.of(c))
            .with("biased", true)
            .with("leastSum", c.real("moe_norm_min", 1e-12f));
    int shared = c.count("moe_num_shared_experts", 2);
    return shared == 0 ? moe : moe.with("sharedInner", shared * inner);
  }

  @Override
  public List<GgufFamily> gguf() {
    return List.of(new GgufErnie());
  }

  @Override
  public WeightNames weights(Config c) {
    String mlp = Names.LAYER + "mlp.";
    int inner = c.positive("moe_intermediate_size");
    WeightNames names =
        Experts.names(Experts.fused(Names.llama(), c.positive("hidden_size"), inner));
    String correction = mlp + "moe_statics.e_score_correction_bias";
    return Names.gatedMlp(names, "moe.shared.", mlp + "shared_experts.")
        .row("moe.router.correction", mlp + "gate.moe_statics.e_score_correction_bias")
        .row("moe.router.correction", correction)
        .shaped(correction, 1, c.positive("moe_num_experts"))
        .ignore("model\\.mtp_.*");
  }
}
