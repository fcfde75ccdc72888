package dev.apus.moe.convert;

import dev.apus.core.config.Config;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A family of mixtures whose layers are those of a family without experts, but for the experts:
 * what it calls its weights, and what its config says.
 *
 * <p>In all of them the chosen experts' weights sum to one.
 */
enum MixtureKind {
  /** Of Llama and Mistral. */
  MIXTRAL(
      List.of("llama", "mistral"),
      "MixtralForCausalLM",
      "block_sparse_moe.gate.weight",
      "block_sparse_moe.experts.%d.%s.weight",
      List.of("w1", "w3", "w2"),
      Map.of()),

  /** Of Qwen 3. */
  QWEN3_MOE(
      List.of("qwen3"),
      "Qwen3MoeForCausalLM",
      "mlp.gate.weight",
      "mlp.experts.%d.%s.weight",
      List.of("gate_proj", "up_proj", "down_proj"),
      Map.of("norm_topk_prob", true, "decoder_sparse_step", 1L, "mlp_only_layers", List.of())),

  /** Of OLMo 2. */
  FLEX_OLMO(
      List.of("olmo2"),
      "FlexOlmoForCausalLM",
      "mlp.gate.weight",
      "mlp.experts.%d.%s.weight",
      List.of("gate_proj", "up_proj", "down_proj"),
      Map.of("norm_topk_prob", true));

  /** What configs of OLMo 2 may leave out, and FlexOlmo has other values for. */
  private static final Map<String, Object> OLMO_2 =
      Map.of("rms_norm_eps", 1e-5, "max_position_embeddings", 2048L);

  /** The matrices of a feed-forward block, in the order of {@link #matrices}. */
  static final List<String> DENSE = List.of("gate_proj", "up_proj", "down_proj");

  private final List<String> dense;
  private final String architecture;
  private final String router;
  private final String expert;
  private final List<String> matrices;
  private final Map<String, Object> settings;

  MixtureKind(
      List<String> dense,
      String architecture,
      String router,
      String expert,
      List<String> matrices,
      Map<String, Object> settings) {
    this.dense = dense;
    this.architecture = architecture;
    this.router = router;
    this.expert = expert;
    this.matrices = matrices;
    this.settings = settings;
  }

  /**
   * The kind of mixture that a checkpoint can become.
   *
   * @throws dev.apus.core.config.ConfigException if there is none
   */
  static MixtureKind of(Config config) {
    String type = config.word("model_type", "");
    return Arrays.stream(values())
        .filter(kind -> kind.dense.contains(type))
        .findFirst()
        .orElseThrow(
            () ->
                config.errorAt(
                    "model_type",
                    "model_type=%s has no mixture whose other weights are the same; those that"
                        + " have: %s",
                    type,
                    Arrays.stream(values()).flatMap(kind -> kind.dense.stream()).toList()));
  }

  String router(int layer) {
    return layer(layer) + router;
  }

  /**
   * The name of an expert's matrix.
   *
   * @param matrix its index in {@link #DENSE}
   */
  String matrix(int layer, int expert, int matrix) {
    return layer(layer) + String.format(Locale.ROOT, this.expert, expert, matrices.get(matrix));
  }

  /** The name of a matrix of the block without experts. */
  static String dense(int layer, int matrix) {
    return layer(layer) + "mlp." + DENSE.get(matrix) + ".weight";
  }

  private static String layer(int layer) {
    return "model.layers." + layer + ".";
  }

  /** The config of the mixture. */
  Map<String, Object> config(Config of, int experts, int top, int inner) {
    Map<String, Object> config = new LinkedHashMap<>(of.asMap());
    // Mixtures of these kinds have no biases and no word for them. Another value stays, to be
    // refused.
    config.remove("attention_bias", false);
    config.remove("mlp_bias", false);
    config.put("architectures", List.of(architecture));
    config.put("model_type", name().toLowerCase(Locale.ROOT));
    config.put("num_experts_per_tok", (long) top);
    config.put(this == MIXTRAL ? "num_local_experts" : "num_experts", (long) experts);
    config.put(this == QWEN3_MOE ? "moe_intermediate_size" : "intermediate_size", (long) inner);
    config.putAll(settings);
    if (this == FLEX_OLMO) {
      OLMO_2.forEach(config::putIfAbsent);
      if (!config.containsKey("rope_parameters")) {
        config.putIfAbsent("rope_theta", 10_000.0);
      }
    }
    return config;
  }
}
