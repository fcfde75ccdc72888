package dev.apus.core.family;

import static dev.apus.core.family.HubConfig.BLOOM;
import static dev.apus.core.family.HubConfig.COMMAND_R;
import static dev.apus.core.family.HubConfig.COMMAND_R7B;
import static dev.apus.core.family.HubConfig.FALCON_40B;
import static dev.apus.core.family.HubConfig.FALCON_7B;
import static dev.apus.core.family.HubConfig.GLM_4;
import static dev.apus.core.family.HubConfig.GPT2;
import static dev.apus.core.family.HubConfig.HELIUM;
import static dev.apus.core.family.HubConfig.KIMI_LINEAR;
import static dev.apus.core.family.HubConfig.MINITRON;
import static dev.apus.core.family.HubConfig.NANOCHAT;
import static dev.apus.core.family.HubConfig.PHI_3;
import static dev.apus.core.family.HubConfig.PYTHIA;
import static dev.apus.core.family.HubConfig.STABLELM_2;
import static dev.apus.core.family.HubConfig.STARCODER2;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.ConfigException;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a family cannot run is refused by its key, with what was found and what is supported. */
class RefusedSettingsTest {

  @ParameterizedTest(name = "{0} with {1}={2}")
  @MethodSource("refusals")
  void isRefusedByName(HubConfig config, String key, String value, String message) {
    String changed = FamilyFixtures.with(config.newer, key, value);
    var e = assertThrows(ConfigException.class, () -> FamilyFixtures.describe(changed));
    assertEquals("config.json:1: " + message, e.getMessage());
  }

  /** They would otherwise be told what is supported, as if their name were misspelt. */
  @ParameterizedTest
  @ValueSource(
      strings = {
        "{\"model_type\": \"switch_transformers\", \"num_experts\": 8}",
        "{\"model_type\": \"t5\", \"is_encoder_decoder\": true}",
        "{\"model_type\": \"pegasus\", \"is_encoder_decoder\": true}"
      })
  void encoderDecodersAreRefusedAsSuch(String json) {
    var e = assertThrows(ConfigException.class, () -> FamilyFixtures.describe(json));
    assertTrue(
        e.getMessage()
            .matches(
                "config.json:1: (switch_transformers|t5|pegasus) is an encoder–decoder, whose"
                    + " decoder attends to another text; supported are encoders alone and decoders"
                    + " alone"),
        e.getMessage());
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(
            PYTHIA,
            "rope_parameters",
            "{\"rope_type\": \"xpos\"}",
            "rope_parameters.rope_type=\"xpos\" is not supported; supported: default, linear,"
                + " dynamic, llama3, yarn, longrope, su, factors, proportional, mrope"),
        of(PYTHIA, "layer_norm_eps", "2", "layer_norm_eps=2.0 must be at least 0 and below 1"),
        of(HELIUM, "rms_norm_eps", "-1e-8", "rms_norm_eps=-1.0E-8 must be at least 0 and below 1"),
        of(
            GPT2,
            "add_cross_attention",
            "true",
            "add_cross_attention=true is not supported; supported: false"),
        of(
            GPT2,
            "activation_function",
            "\"mish\"",
            "activation_function=\"mish\" is not supported; supported: silu, gelu, gelu_new,"
                + " gelu_pytorch_tanh, quick_gelu, relu, relu2"),
        of(GPT2, "n_head", "7", "n_embd=768 is not divisible by n_head=7"),
        of(
            GPT2,
            "position_embedding_type",
            "\"relative\"",
            "position_embedding_type is a setting that the family gpt2 does not know; it may change"
                + " what is computed"),
        of(
            PYTHIA,
            "num_key_value_heads",
            "2",
            "num_key_value_heads is a setting that the family gpt-neox does not know; it may change"
                + " what is computed"),
        of(
            PYTHIA,
            "rope_scaling",
            "{\"type\": \"xpos\"}",
            "rope_scaling and rope_parameters are one setting; keep one of them"),
        of(
            BLOOM,
            "apply_residual_connection_post_layernorm",
            "true",
            "apply_residual_connection_post_layernorm=true is not supported; supported: false"),
        of(BLOOM, "n_inner", "5000", "n_inner=5000; the inner width of this family is 4 x 1024"),
        of(BLOOM, "n_embed", "2048", "hidden_size=1024 and n_embed=2048 disagree"),
        of(
            FALCON_7B,
            "num_ln_in_parallel_attn",
            "2",
            "num_ln_in_parallel_attn=2 is not supported; supported: 1, and 2 in grouped models"),
        of(
            FALCON_40B,
            "parallel_attn",
            "false",
            "parallel_attn=false contradicts new_decoder_architecture=true"),
        of(
            FALCON_40B,
            "num_kv_heads",
            "7",
            "num_attention_heads=128 is not divisible by num_kv_heads=7"),
        of(
            STABLELM_2,
            "rotary_scaling_factor",
            "2",
            "rotary_scaling_factor=2.0 is not supported; supported: 1"),
        of(STABLELM_2, "use_qkv_bias", "1", "use_qkv_bias=1 must be true or false"),
        of(
            STARCODER2,
            "norm_type",
            "\"rms_norm\"",
            "norm_type=\"rms_norm\" is not supported; supported: layer_norm"),
        of(
            STARCODER2,
            "sliding_window",
            "-1",
            "sliding_window=-1 must be a whole number from 0 to 2147483647"),
        of(
            MINITRON,
            "kv_channels",
            "96",
            "kv_channels=96 is not the size of a head, 128; set head_dim"),
        of(GLM_4, "mlp_bias", "true", "mlp_bias=true is not supported; supported: false"),
        of(
            HELIUM,
            "quantization_config",
            "{\"quant_method\": \"gptq\"}",
            "the checkpoint is quantised with gptq, which is not supported; convert it to"
                + " safetensors in BF16 or to GGUF first"),
        of(NANOCHAT, "qkv_bias", "true", "qkv_bias=true is not supported; supported: false"),
        of(
            COMMAND_R7B,
            "sliding_window",
            "null",
            "sliding_window=null is not supported; needed: a whole number"),
        of(
            COMMAND_R7B,
            "use_qk_norm",
            "true",
            "use_qk_norm=true is not supported; supported: false"),
        of(
            COMMAND_R7B,
            "use_parallel_block",
            "false",
            "use_parallel_block=false is not supported; supported: true"),
        of(
            COMMAND_R7B,
            "layer_types",
            "[\"full_attention\"]",
            "layer_types names 1 layers, num_hidden_layers=8"),
        of(COMMAND_R, "logit_scale", "\"big\"", "logit_scale=\"big\" must be a finite number"),
        of(
            KIMI_LINEAR,
            "num_key_value_heads",
            "8",
            "num_key_value_heads=8 must be num_attention_heads=32: all heads share one latent"),
        of(
            KIMI_LINEAR,
            "qk_head_dim",
            "128",
            "qk_head_dim=128 must be qk_nope_head_dim=128 and qk_rope_head_dim=64 together"),
        of(
            KIMI_LINEAR,
            "linear_attn_config",
            "{\"kda_layers\": [1, 2], \"full_attn_layers\": [4, 5]}",
            "layer 3, counted from 1, must be in kda_layers or in full_attn_layers"),
        of(
            KIMI_LINEAR,
            "mlp_layer_types",
            "[\"dense\", \"dense\", \"hash\", \"sparse\", \"sparse\"]",
            "mlp_layer_types holds \"hash\"; this family has dense and sparse"),
        of(
            KIMI_LINEAR,
            "moe_router_activation_func",
            "\"softmax\"",
            "moe_router_activation_func=\"softmax\" is not supported; supported: sigmoid"),
        of(PHI_3, "lm_head_bias", "true", "lm_head_bias=true is not supported; supported: false"),
        of(PHI_3, "full_attn_mod", "2", "full_attn_mod=2 is not supported; supported: 1"),
        of(
            PHI_3,
            "rope_parameters",
            "{\"rope_type\": \"yarn\"}",
            "rope_parameters.rope_type=\"yarn\" is not supported; supported: default, longrope,"
                + " su"));
  }
}
