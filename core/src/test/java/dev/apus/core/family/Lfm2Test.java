package dev.apus.core.family;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.ConfigException;
import dev.apus.core.model.Architecture;
import java.util.List;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What LFM2's configs say in more than one way. */
class Lfm2Test {

  private static final String CONFIG =
      """
      {"model_type": "lfm2", "hidden_size": 64, "num_attention_heads": 4, "num_hidden_layers": 3,
       "intermediate_size": 100, "full_attn_idxs": [1], "vocab_size": 10}
      """;

  private static final String BY_LAYER =
      FamilyFixtures.with(CONFIG, "layer_types", "[\"conv\", \"full_attention\", \"conv\"]");

  private static List<String> mixers(String config) {
    Architecture read = FamilyFixtures.describe(config);
    return IntStream.range(0, 3)
        .mapToObj(layer -> FamilyFixtures.mixer(read, layer).part().type())
        .toList();
  }

  @Test
  void layersThatAttendAreListedOrNamed() {
    List<String> expected = List.of("gated-convolution", "attention", "gated-convolution");
    assertEquals(expected, mixers(CONFIG));
    assertEquals(expected, mixers(FamilyFixtures.with(BY_LAYER, "full_attn_idxs", "null")));
    assertEquals(expected, mixers(BY_LAYER));
    assertEquals(
        List.of("attention", "attention", "attention"),
        mixers(FamilyFixtures.with(CONFIG, "full_attn_idxs", "null")));
  }

  /** Two thirds of the stated width, times the factor, up to the next multiple. */
  @ParameterizedTest
  @CsvSource({
    "true,  1.0,  256,  256",
    "true,  1.0,  8,    72",
    "true,  1.3,  8,    88",
    "true,  null, 8,    66",
    "false, 1.3,  8,    100"
  })
  void theWidthOfAnMlpMayBeAdjusted(String adjusted, String factor, String multiple, int inner) {
    String config = FamilyFixtures.with(CONFIG, "block_auto_adjust_ff_dim", adjusted);
    config = FamilyFixtures.with(config, "block_ffn_dim_multiplier", factor);
    config = FamilyFixtures.with(config, "block_multiple_of", multiple);
    Architecture read = FamilyFixtures.describe(config);
    assertEquals(inner, FamilyFixtures.channel(read, 0).part().settings().get("inner"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "full_attn_idxs | [1, 2] | full_attn_idxs and layer_types[2]=\"conv\" disagree; keep one of"
            + " them",
        "layer_types | [\"conv\", \"full_attention\", \"mamba\"] | layer_types holds \"mamba\";"
            + " this family has conv and full_attention",
        "block_ffn_dim_multiplier | 1e12 | the adjusted width of an MLP is 66000000000000; it must"
            + " be positive and below 2^31",
        "block_ff_dim | 99 | intermediate_size=100 and block_ff_dim=99 disagree",
        "use_pos_enc | false | use_pos_enc=false is not supported; supported: true",
      })
  void contradictionsAreRefused(String key, String value, String message) {
    String config = FamilyFixtures.with(BY_LAYER, key, value);
    var e = assertThrows(ConfigException.class, () -> FamilyFixtures.describe(config));
    assertEquals("config.json:1: " + message, e.getMessage());
  }
}
