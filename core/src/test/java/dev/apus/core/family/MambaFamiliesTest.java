package dev.apus.core.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Part;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** What the families of Mamba layers read, and what they refuse. */
class MambaFamiliesTest {

  private static final String MAMBA =
      """
      {"model_type": "mamba", "hidden_size": 40, "num_hidden_layers": 2, "vocab_size": 10}
      """;

  private static final String ORIGINAL =
      """
      {"d_model": 40, "n_layer": 2, "ssm_cfg": {}, "vocab_size": 10}
      """;

  private static final String JAMBA =
      """
      {"model_type": "jamba", "hidden_size": 40, "num_hidden_layers": 8, "vocab_size": 10,
       "num_attention_heads": 4, "intermediate_size": 50, "attn_layer_period": 4,
       "attn_layer_offset": 1}
      """;

  private static Map<String, Object> mixer(String config, int layer) {
    return FamilyFixtures.mixer(FamilyFixtures.describe(config), layer).part().settings();
  }

  @Test
  void theDefaultsAreTheReferences() {
    Map<String, Object> expected =
        Part.of("mamba")
            .with("inner", 80)
            .with("stateSize", 16)
            .with("dtRank", 3)
            .with("taps", 4)
            .with("biased", false)
            .with("convBiased", true)
            .settings();
    assertEquals(expected, mixer(MAMBA, 0));
    assertEquals(expected, mixer(ORIGINAL, 1));
    assertEquals(expected, mixer(FamilyFixtures.with(MAMBA, "time_step_rank", "\"auto\""), 0));
    assertEquals(16, FamilyFixtures.describe(ORIGINAL).vocabulary());
  }

  @Test
  void falconMambaIsKnownByEitherOfItsNames() {
    String named = FamilyFixtures.with(MAMBA, "architectures", "[\"FalconMambaForCausalLM\"]");
    String typed = FamilyFixtures.with(MAMBA, "model_type", "\"falcon_mamba\"");
    Map<String, Object> norm =
        Map.of("type", "rms", "epsilon", 1e-6, "weighted", false, "biased", false);
    assertEquals(norm, mixer(named, 0).get("norm"));
    assertEquals(norm, mixer(typed, 0).get("norm"));
    assertEquals(null, mixer(MAMBA, 0).get("norm"));
  }

  @Test
  void oneExpertIsADenseBlock() {
    String dense = FamilyFixtures.with(JAMBA, "num_experts", "1");
    for (int i = 0; i < 8; i++) {
      String type = FamilyFixtures.channel(FamilyFixtures.describe(dense), i).part().type();
      assertEquals("gated-mlp", type);
      type = FamilyFixtures.channel(FamilyFixtures.describe(JAMBA), i).part().type();
      assertEquals(i % 2 == 1 ? "moe" : "gated-mlp", type);
      type = FamilyFixtures.mixer(FamilyFixtures.describe(JAMBA), i).part().type();
      assertEquals(i % 4 == 1 ? "attention" : "mamba", type);
    }
  }

  @Test
  void aConfigWithoutNamesIsNotTakenForAnother() {
    Config other = Config.parse("config.json", "{\"d_model\": 40, \"n_layer\": 2}".getBytes());
    assertThrows(ConfigException.class, () -> Families.installed().of(other));
  }

  static Stream<Arguments> refusals() {
    return Stream.of(
        of(
            MAMBA,
            "hidden_act",
            "\"relu\"",
            "hidden_act=\"relu\" is not supported; supported: silu, swish"),
        of(MAMBA, "rms_norm", "false", "rms_norm=false is not supported; supported: true"),
        of(MAMBA, "d_model", "41", "hidden_size=40 and d_model=41 disagree"),
        of(
            MAMBA,
            "ssm_cfg",
            "{\"d_state\": 5}",
            "ssm_cfg.d_state is a setting that the family mamba does not know; it may change what"
                + " is computed"),
        of(
            ORIGINAL,
            "ssm_cfg",
            "{\"layer\": \"Mamba3\"}",
            "ssm_cfg.layer=\"Mamba3\" is not supported; supported: Mamba1, Mamba2"),
        of(
            ORIGINAL,
            "ssm_cfg",
            "{\"headdim\": 64}",
            "ssm_cfg.headdim is a setting that the family mamba does not know; it may change what"
                + " is computed"),
        of(ORIGINAL, "attn_layer_idx", "[1]", "attn_layer_idx=[1] is not supported"),
        of(ORIGINAL, "d_intermediate", "160", "d_intermediate=160 is not supported"),
        of(
            JAMBA,
            "attn_layer_offset",
            "4",
            "attn_layer_offset=4 must be below attn_layer_period=4"),
        of(
            JAMBA,
            "mamba_inner_layernorms",
            "false",
            "mamba_inner_layernorms=false is not supported; supported: true"));
  }

  @ParameterizedTest(name = "{1}={2}")
  @MethodSource("refusals")
  void isRefusedByName(String config, String key, String value, String message) {
    String changed = FamilyFixtures.with(config, key, value);
    var e = assertThrows(ConfigException.class, () -> FamilyFixtures.describe(changed));
    assertEquals("config.json: " + message, e.getMessage().replaceFirst(":1:", ":"));
  }
}
