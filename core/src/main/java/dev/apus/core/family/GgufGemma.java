package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Gemma 2 and 3, whose files hold their norm weights with the one added. */
final class GgufGemma implements GgufFamily {

  @Override
  public List<String> architectures() {
    return List.of("gemma2", "gemma3");
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = GgufSettings.decoder(file).set("hidden_activation", "gelu_pytorch_tanh");
    if (file.metadata().get("general.architecture").equals("gemma2")) {
      table
          .set("model_type", "gemma2")
          .row("attention.sliding_window", "sliding_window", 4096)
          .row("attn_logit_softcapping", "attn_logit_softcapping", 50)
          .row("final_logit_softcapping", "final_logit_softcapping", 30);
    } else {
      table
          .set("model_type", "gemma3_text")
          .required("attention.sliding_window", "sliding_window")
          .row("rope.freq_base_swa", "rope_local_base_freq")
          .row("final_logit_softcapping", "final_logit_softcapping");
    }
    return scaled(table.row("attention.sliding_window_pattern", "sliding_window_pattern"));
  }

  /**
   * Files do not say what the scores are scaled by. It is the root of the head's width, but in the
   * largest model of either generation, known by its number of layers, of the width by the heads.
   */
  private static Config scaled(GgufSettings table) {
    Config shape = table.config();
    Decoder d = new Decoder(shape);
    int largest = shape.word("model_type").equals("gemma2") ? 46 : 62;
    return table
        .set("query_pre_attn_scalar", d.layers == largest ? d.width / d.heads : d.headDim)
        .config();
  }

  @Override
  public WeightNames weights(Config c) {
    return GgufNames.decoder();
  }
}
