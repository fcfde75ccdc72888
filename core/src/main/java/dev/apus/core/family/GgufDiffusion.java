package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.model.Architecture;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/** Dream, LLaDA and LLaDA-MoE, whose tokens see the whole text. */
final class GgufDiffusion implements GgufFamily {

  private static final String SHIFTED = "diffusion.shift_logits";
  private static final String MASK = "tokenizer.ggml.mask_token_id";

  private final String architecture;

  /** The mask of the published model, for files that do not name it. */
  private final int mask;

  private GgufDiffusion(String architecture, int mask) {
    this.architecture = architecture;
    this.mask = mask;
  }

  static GgufFamily dream() {
    return new GgufDiffusion("dream", 151666);
  }

  static GgufFamily llada() {
    return new GgufDiffusion("llada", 126336);
  }

  static GgufFamily lladaMoe() {
    return new GgufDiffusion("llada-moe", 156895);
  }

  @Override
  public List<String> architectures() {
    return List.of(architecture);
  }

  @Override
  public Config config(Gguf file) {
    GgufSettings table = GgufSettings.denoiser(file);
    boolean dream = architecture.equals("dream");
    Object shifted = file.metadata().getOrDefault(SHIFTED, dream);
    if (!shifted.equals(dream)) {
      throw table.error("%s=%s is not supported; supported: %s", SHIFTED, shifted, dream);
    }
    table.set("mask_token_id", file.metadata().getOrDefault(MASK, (long) mask));
    return switch (architecture) {
      case "dream" -> table.set("model_type", "Dream").config();
      case "llada" ->
          table
              .set("model_type", "llada")
              .set("include_qkv_bias", table.stores("blk.0.attn_q.bias"))
              .config();
      default ->
          table
              .set("model_type", "lladamoe")
              .required("expert_count", "num_experts")
              .required("expert_used_count", "num_experts_per_tok")
              .required("expert_feed_forward_length", "expert_intermediate_size")
              .row("expert_weights_norm", "norm_topk_prob", false)
              .only("expert_gating_func", GgufSettings.SOFTMAX)
              .set("qk_layernorm", table.stores("blk.0.attn_q_norm.weight"))
              .config();
    };
  }

  @Override
  public void describe(Architecture model, GgufMetadata metadata) {
    if (model.diffusion() != null && model.diffusion().mask() >= 0) {
      metadata
          .global(SHIFTED, model.diffusion().shifted())
          .global(MASK, (long) model.diffusion().mask());
    }
  }

  @Override
  public WeightNames weights(Config c) {
    WeightNames names = GgufNames.decoder();
    return switch (architecture) {
      case "dream" -> names;
      case "llada" -> GgufNames.turned(names, new Decoder(c));
      default ->
          GgufNames.experts(
              names, c.positive("hidden_size"), c.positive("expert_intermediate_size"));
    };
  }
}
