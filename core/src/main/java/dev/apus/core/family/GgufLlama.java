package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * Llama, Mistral and Mixtral, which are one architecture in GGUF. Most files made of a Mistral with
 * a window do not mention it: they then attend to everything, as they do elsewhere.
 */
final class GgufLlama implements GgufFamily {

  private static final String FREQUENCIES = "rope_freqs.weight";

  @Override
  public List<String> architectures() {
    return List.of("llama");
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = GgufSettings.decoder(file).ropeFactors(FREQUENCIES);
    if (table.count("expert_count", 0) > 0) {
      return table
          .set("model_type", "mixtral")
          .row("expert_count", "num_local_experts")
          .row("expert_used_count", "num_experts_per_tok")
          .row("attention.sliding_window", "sliding_window")
          .config();
    }
    table.harmless("expert_used_count");
    if (table.has("attention.sliding_window")) {
      return table
          .set("model_type", "mistral")
          .row("attention.sliding_window", "sliding_window")
          .config();
    }
    return table
        .set("model_type", "llama")
        .set("attention_bias", table.stores("blk.0.attn_q.bias"))
        .set("mlp_bias", table.stores("blk.0.ffn_up.bias"))
        .config();
  }

  @Override
  public WeightNames weights(Config c) {
    Decoder d = new Decoder(c);
    WeightNames names = GgufNames.decoder().ignore(FREQUENCIES.replace(".", "\\."));
    return GgufNames.experts(GgufNames.turned(names, d), d.width, c.positive("intermediate_size"));
  }
}
