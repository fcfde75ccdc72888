package dev.apus.core.family;

import static dev.apus.core.family.FamilyFixtures.describe;
import static dev.apus.core.family.FamilyFixtures.mixer;
import static dev.apus.core.family.FamilyFixtures.with;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.Architecture.Branch;
import dev.apus.core.model.Architecture.Step;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Mamba-2 and the hybrids built on it, with configs as they are on the hub. */
class Mamba2FamiliesTest {

  private static final String CODESTRAL =
      """
      {"architectures": ["Mamba2ForCausalLM"], "bos_token_id": 0, "chunk_size": 256,
       "conv_kernel": 4, "eos_token_id": 0, "expand": 2, "head_dim": 64, "hidden_act": "silu",
       "hidden_size": 4096, "initializer_range": 0.1, "intermediate_size": 8192,
       "layer_norm_epsilon": 1e-05, "model_type": "mamba2", "n_groups": 8,
       "norm_before_gate": true, "num_heads": 128, "num_hidden_layers": 64, "pad_token_id": 0,
       "rescale_prenorm_residual": false, "residual_in_fp32": true, "rms_norm": true,
       "state_size": 128, "tie_word_embeddings": false, "time_step_floor": 0.0001,
       "time_step_init_scheme": "random", "time_step_limit": [0.0, Infinity],
       "time_step_max": 0.1, "time_step_min": 0.001, "time_step_rank": 256,
       "time_step_scale": 1.0, "torch_dtype": "bfloat16", "transformers_version": "4.44.0.dev0",
       "use_bias": false, "use_cache": true, "use_conv_bias": true, "vocab_size": 32768}
      """;

  private static final String BAMBA =
      """
      {"architectures": ["BambaForCausalLM"], "attention_bias": false, "attention_dropout": 0.0,
       "attn_layer_indices": [1], "attn_rotary_emb": 64, "bos_token_id": 128000,
       "eos_token_id": 128001, "hidden_act": "silu", "hidden_size": 4096,
       "initializer_range": 0.02, "intermediate_size": 14336, "mamba_chunk_size": 256,
       "mamba_conv_bias": true, "mamba_d_conv": 4, "mamba_d_head": 64, "mamba_d_state": 128,
       "mamba_expand": 2, "mamba_n_groups": 1, "mamba_n_heads": 128, "mamba_proj_bias": false,
       "max_position_embeddings": 262144, "mlp_bias": false, "model_type": "bamba",
       "num_attention_heads": 32, "num_hidden_layers": 3, "num_key_value_heads": 8,
       "num_logits_to_keep": 1, "pad_token_id": 0, "rms_norm_eps": 1e-05,
       "rope_theta": 10000.0, "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.45.0.dev0", "use_cache": true, "use_mamba_kernels": true,
       "vocab_size": 128256}
      """;

  private static final String GRANITE =
      """
      {"architectures": ["GraniteMoeHybridForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "attention_multiplier": 0.0078125, "bos_token_id": 100257,
       "embedding_multiplier": 12, "eos_token_id": 100257, "hidden_act": "silu",
       "hidden_size": 1536, "init_method": "mup", "initializer_range": 0.1,
       "intermediate_size": 512, "layer_types": ["mamba", "attention", "mamba"],
       "logits_scaling": 6, "mamba_chunk_size": 256, "mamba_conv_bias": true, "mamba_d_conv": 4,
       "mamba_d_head": 64, "mamba_d_state": 128, "mamba_expand": 2, "mamba_n_groups": 1,
       "mamba_n_heads": 48, "mamba_proj_bias": false, "max_position_embeddings": 131072,
       "model_type": "granitemoehybrid", "normalization_function": "rmsnorm",
       "num_attention_heads": 12, "num_experts_per_tok": 6, "num_hidden_layers": 3,
       "num_key_value_heads": 4, "num_local_experts": 64, "output_router_logits": false,
       "pad_token_id": 100256, "position_embedding_type": "nope", "residual_multiplier": 0.22,
       "rms_norm_eps": 1e-05, "rope_scaling": null, "rope_theta": 10000,
       "router_aux_loss_coef": 0.0, "shared_intermediate_size": 1024,
       "tie_word_embeddings": true, "torch_dtype": "bfloat16", "transformers_version": "4.56.0",
       "use_cache": true, "vocab_size": 100352}
      """;

  private static final String FALCON =
      """
      {"architectures": ["FalconH1ForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0, "attention_in_multiplier": 1.0,
       "attention_out_multiplier": 0.9375, "attn_layer_indices": null, "bos_token_id": 1,
       "embedding_multiplier": 5.656854249492381, "eos_token_id": 11, "head_dim": 64,
       "hidden_act": "silu", "hidden_size": 1024, "initializer_range": 0.02,
       "intermediate_size": 2048, "key_multiplier": 0.25, "lm_head_multiplier": 0.0390625,
       "mamba_chunk_size": 128, "mamba_conv_bias": true, "mamba_d_conv": 4, "mamba_d_head": 64,
       "mamba_d_ssm": 1536, "mamba_d_state": 128, "mamba_expand": 2, "mamba_n_groups": 1,
       "mamba_n_heads": 24, "mamba_norm_before_gate": false, "mamba_proj_bias": false,
       "mamba_rms_norm": false, "mamba_use_mlp": true, "max_position_embeddings": 16384,
       "mlp_bias": false, "mlp_expansion_factor": 8, "mlp_multipliers": [0.5, 0.75],
       "model_type": "falcon_h1", "num_attention_heads": 8, "num_hidden_layers": 2,
       "num_key_value_heads": 2, "num_logits_to_keep": 1, "pad_token_id": 0,
       "projectors_bias": false, "rms_norm_eps": 1e-05, "rope_scaling": null,
       "rope_theta": 100000000000.0, "ssm_in_multiplier": 1.25,
       "ssm_multipliers": [0.5, 0.25, 1.0, 2.0, 0.75], "ssm_out_multiplier": 0.125,
       "tie_word_embeddings": false, "torch_dtype": "bfloat16",
       "transformers_version": "4.52.4", "use_cache": true, "vocab_size": 32784}
      """;

  private static final String NEMOTRON =
      """
      {"architectures": ["NemotronHForCausalLM"], "attention_bias": false,
       "attention_dropout": 0.0,
       "auto_map": {"AutoConfig": "configuration_nemotron_h.NemotronHConfig"},
       "bos_token_id": 1, "chunk_size": 128, "conv_kernel": 4, "eos_token_id": 2, "expand": 2,
       "head_dim": 128, "hidden_dropout": 0.0, "hidden_size": 2688,
       "hybrid_override_pattern": "ME*-M", "initializer_range": 0.02,
       "intermediate_size": 1856, "layer_norm_epsilon": 1e-05, "mamba_head_dim": 64,
       "mamba_hidden_act": "silu", "mamba_num_heads": 64, "mamba_proj_bias": false,
       "mamba_ssm_cache_dtype": "float32", "max_position_embeddings": 262144,
       "mlp_bias": false, "mlp_hidden_act": "relu2", "model_type": "nemotron_h",
       "moe_intermediate_size": 1856, "moe_latent_size": 1024,
       "moe_shared_expert_intermediate_size": 3712, "moe_shared_expert_overlap": false,
       "mtp_hybrid_override_pattern": "*E", "n_group": 1, "n_groups": 8,
       "n_routed_experts": 128, "n_shared_experts": 1, "norm_eps": 1e-05,
       "norm_topk_prob": true, "num_attention_heads": 32, "num_experts_per_tok": 6,
       "num_hidden_layers": 5, "num_key_value_heads": 2, "num_logits_to_keep": 1,
       "num_nextn_predict_layers": 1, "pad_token_id": 0, "partial_rotary_factor": 1.0,
       "rescale_prenorm_residual": true, "residual_in_fp32": false, "rope_theta": 10000,
       "routed_scaling_factor": 2.5, "sliding_window": null, "ssm_state_size": 128,
       "tie_word_embeddings": false, "time_step_floor": 0.0001, "time_step_max": 0.1,
       "time_step_min": 0.001, "topk_group": 1, "torch_dtype": "bfloat16",
       "transformers_version": "4.57.6", "use_bias": false, "use_cache": true,
       "use_conv_bias": true, "use_mamba_kernels": true, "vocab_size": 131072}
      """;

  private static Object normOver(String config) {
    return ((Map<?, ?>) mixer(describe(config), 0).part().settings().get("norm")).get("over");
  }

  /** Who made the config decides, unless it says itself. */
  @ParameterizedTest
  @CsvSource({"true, null, group", "null, null, row", "true, row, row", "null, group, group"})
  void theGatedNormIsThatOfTheAuthorsOrOfTheReference(
      String normBeforeGate, String stated, String expected) {
    String config = with(CODESTRAL, "norm_before_gate", normBeforeGate);
    String said = stated.equals("null") ? stated : "\"" + stated + "\"";
    assertEquals(expected, normOver(with(config, "gated_norm_over", said)));
  }

  @Test
  void originalsNormaliseGroups() {
    String original =
        """
        {"d_model": 64, "n_layer": 2, "vocab_size": 50277, "rms_norm": true,
         "ssm_cfg": {"layer": "Mamba2", "headdim": 32, "ngroups": 2}}
        """;
    assertEquals("group", normOver(original));
    assertEquals(4, mixer(describe(original), 0).part().settings().get("heads"));
    String bare = with(original, "ssm_cfg", "{\"layer\": \"Mamba2\", \"rmsnorm\": false}");
    assertFalse(mixer(describe(bare), 0).part().settings().containsKey("norm"));
    String limited = with(original, "ssm_cfg", "{\"layer\": \"Mamba2\", \"dt_limit\": [0.5, 2]}");
    assertEquals(0.5, mixer(describe(limited), 0).part().settings().get("leastStep"));
    assertEquals(2.0, mixer(describe(limited), 0).part().settings().get("mostStep"));
  }

  @Test
  void bambaTurnsHalfOfAHead() {
    Architecture bamba = describe(BAMBA);
    assertEquals(
        List.of("mamba2", "attention", "mamba2"),
        List.of(type(bamba, 0), type(bamba, 1), type(bamba, 2)));
    Map<?, ?> rope = (Map<?, ?>) mixer(bamba, 1).part().settings().get("rope");
    assertEquals(64, rope.get("dims"));
  }

  private static String type(Architecture architecture, int layer) {
    return mixer(architecture, layer).part().type();
  }

  /** The names of layers in older configs and in newer ones. */
  @Test
  void layersHaveTwoNames() {
    String newer =
        with(
            GRANITE,
            "layer_types",
            "[\"linear_attention\", \"full_attention\", \"linear_attention\"]");
    assertEquals(describe(newer), describe(GRANITE));
    String list =
        with(
            with(NEMOTRON, "hybrid_override_pattern", "null"),
            "layers_block_type",
            "[\"linear_attention\", \"moe\", \"full_attention\", \"mlp\", \"linear_attention\"]");
    assertEquals(describe(list), describe(NEMOTRON));
    String older = list.replace("linear_", "").replace("full_", "");
    String mamba = older.replaceAll("\\[\"attention\",\\s*\"moe\"", "[\"mamba\",\"moe\"");
    assertEquals("mamba2", type(describe(mamba), 0));
  }

  @Test
  void graniteHasPositionsOnlyIfItSaysSo() {
    Branch attention = mixer(describe(GRANITE), 1);
    assertFalse(attention.part().settings().containsKey("rope"));
    Branch turned = mixer(describe(with(GRANITE, "position_embedding_type", "\"rope\"")), 1);
    assertEquals(10_000.0, ((Map<?, ?>) turned.part().settings().get("rope")).get("theta"));
  }

  /** What the factors become: scales of parts and branches, and weights of norms. */
  @Test
  void falconsFactorsAreInNormsScoresAndBranches() {
    Step mixers = describe(FALCON).layers().getFirst().steps().getFirst();
    Branch mamba = mixers.branches().get(0);
    Branch attention = mixers.branches().get(1);
    assertEquals(0.125f, mamba.scale());
    assertEquals(List.of(0.625, 0.3125, 1.25, 2.5, 0.9375), mamba.part().settings().get("scales"));
    assertEquals(0.9375f, attention.scale());
    assertEquals(0.25 / 8, attention.part().settings().get("scale"));
    assertEquals(1.5f, FamilyFixtures.channel(describe(FALCON), 0).scale());
  }

  /** The authors' code has no least step, and who wants none may say so. */
  @Test
  void nemotronsStepsHaveALeastInTheReference() {
    assertEquals(null, leastStep(NEMOTRON));
    String reference = with(NEMOTRON, "auto_map", "null");
    assertEquals(0.001, leastStep(reference));
    assertEquals(null, leastStep(with(reference, "time_step_min", "0")));
    assertEquals(0.5, leastStep(with(NEMOTRON, "time_step_limit", "[0.5, 1]")));
  }

  private static Object leastStep(String config) {
    return mixer(describe(config), 0).part().settings().get("leastStep");
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(CODESTRAL, "rms_norm", "false", "rms_norm=false is not supported; supported: true"),
        of(
            CODESTRAL,
            "expand",
            "3",
            "128 heads of 64 values are not the 12288 values that expand says"),
        of(
            CODESTRAL,
            "gated_norm_over",
            "\"head\"",
            "gated_norm_over=\"head\" is not supported; supported: row, group"),
        of(BAMBA, "attn_layer_indices", "[3]", "attn_layer_indices holds 3; num_hidden_layers=3"),
        of(
            BAMBA,
            "attn_rotary_emb",
            "32",
            "attn_rotary_emb=32 is not the 64 values that partial_rotary_factor says"),
        of(
            GRANITE,
            "layer_types",
            "[\"mamba\", \"conv\", \"mamba\"]",
            "layer_types holds \"conv\"; this family has linear_attention and full_attention, or"
                + " mamba and attention"),
        of(
            FALCON,
            "attention_in_multiplier",
            "0",
            "attention_in_multiplier: a factor of 0.0 is not supported; it must be above 0"),
        of(
            FALCON,
            "mamba_proj_bias",
            "true",
            "mamba_proj_bias=true is not supported; supported: false"),
        of(FALCON, "ssm_multipliers", "[1, 2]", "ssm_multipliers=[1.0, 2.0] must be 5 numbers"),
        of(
            NEMOTRON,
            "hybrid_override_pattern",
            "\"M?\"",
            "hybrid_override_pattern holds \"?\"; supported: linear_attention, full_attention, mlp,"
                + " moe, or M, *, -, E"),
        of(
            NEMOTRON,
            "num_hidden_layers",
            "6",
            "hybrid_override_pattern names 5 layers, num_hidden_layers=6"),
        of(NEMOTRON, "norm_eps", "1e-6", "layer_norm_epsilon=1.0E-5 and norm_eps=1.0E-6 disagree"));
  }

  @ParameterizedTest(name = "{1}={2}")
  @MethodSource("refusals")
  void whatCannotRunIsRefused(String config, String key, String value, String message) {
    var e = assertThrows(ConfigException.class, () -> describe(with(config, key, value)));
    assertEquals(
        "config.json:1: " + message, e.getMessage().replace("config.json: ", "config.json:1: "));
  }
}
