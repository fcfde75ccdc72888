package dev.apus.core.family;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.params.provider.Arguments.of;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Rotary settings of configs, in both spellings, in the words of the architecture document. */
class RopeSettingsTest {

  private static final int HEAD_DIM = 16;
  private static final int CONTEXT = 4096;

  private static Config config(String json) {
    return Config.parse("config.json", json.replace('\'', '"').getBytes(UTF_8));
  }

  private static Map<String, Object> read(String json) {
    Config c = config(json);
    Map<String, Object> settings = RopeSettings.read(c, HEAD_DIM, CONTEXT).settings();
    assertEquals(List.of(), c.unread());
    return settings;
  }

  static Stream<Arguments> scalings() {
    return Stream.of(
        of("'rope_type': 'default'", Map.of()),
        of("'rope_type': 'mrope', 'mrope_section': [1, 2]", Map.of()),
        of("'type': 'linear', 'factor': 3", Map.of("type", "linear", "factor", 3.0)),
        of(
            "'type': 'dynamic', 'factor': 3",
            Map.of("type", "dynamic", "factor", 3.0, "original", CONTEXT)),
        of(
            "'rope_type': 'llama3', 'factor': 8, 'low_freq_factor': 1, 'high_freq_factor': 4,"
                + " 'original_max_position_embeddings': 512",
            Map.of(
                "type",
                "llama3",
                "factor",
                8.0,
                "lowFrequency",
                1.0,
                "highFrequency",
                4.0,
                "original",
                512)),
        of(
            "'rope_type': 'yarn', 'original_max_position_embeddings': 1024",
            Map.of(
                "type",
                "yarn",
                "factor",
                4.0,
                "original",
                1024,
                "betaFast",
                32.0,
                "betaSlow",
                1.0,
                "truncate",
                true)),
        of(
            "'type': 'yarn', 'factor': 2, 'beta_fast': 16, 'beta_slow': 2, 'truncate': false,"
                + " 'attention_factor': 0.5",
            Map.of(
                "type",
                "yarn",
                "factor",
                2.0,
                "original",
                CONTEXT,
                "betaFast",
                16.0,
                "betaSlow",
                2.0,
                "truncate",
                false,
                "attentionFactor",
                0.5)),
        of(
            "'type': 'yarn', 'factor': 10, 'mscale': 2, 'mscale_all_dim': 1",
            Map.of(
                "type",
                "yarn",
                "factor",
                10.0,
                "original",
                CONTEXT,
                "betaFast",
                32.0,
                "betaSlow",
                1.0,
                "truncate",
                true,
                "attentionFactor",
                (0.2 * StrictMath.log(10) + 1) / (0.1 * StrictMath.log(10) + 1))),
        of(
            "'type': 'su', 'short_factor': [1, 2], 'long_factor': [3, 4],"
                + " 'original_max_position_embeddings': 2048",
            Map.of(
                "type",
                "longrope",
                "factor",
                2.0,
                "original",
                2048,
                "shortFactors",
                List.of(1.0, 2.0),
                "longFactors",
                List.of(3.0, 4.0))),
        of(
            "'type': 'longrope', 'short_factor': [1], 'long_factor': [3], 'factor': 32,"
                + " 'attention_factor': 1.5",
            Map.of(
                "type",
                "longrope",
                "factor",
                32.0,
                "original",
                CONTEXT,
                "shortFactors",
                List.of(1.0),
                "longFactors",
                List.of(3.0),
                "attentionFactor",
                1.5)),
        of(
            "'rope_type': 'factors', 'factors': [1, 2.5]",
            Map.of("type", "factors", "factors", List.of(1.0, 2.5))),
        of("'rope_type': 'proportional'", Map.of("type", "proportional", "factor", 1.0)));
  }

  @ParameterizedTest(name = "{0}")
  @MethodSource("scalings")
  void bothSpellingsSayTheSame(String scaling, Map<String, Object> expected) {
    Map<String, Object> all = new HashMap<>(expected);
    all.put("theta", 5000.0);
    all.put("dims", HEAD_DIM);
    assertEquals(all, read("{'rope_theta': 5000, 'rope_scaling': {" + scaling + "}}"));
    assertEquals(all, read("{'rope_parameters': {'rope_theta': 5000, " + scaling + "}}"));
  }

  @ParameterizedTest
  @CsvSource({
    "partial_rotary_factor, 0.5, 8",
    "rotary_pct, 0.25, 4",
    "partial_rotary_factor, 0.999, 15"
  })
  void aShareOfAHeadMayTurn(String key, double share, int dims) {
    String json = "{'" + key + "': " + share + "}";
    assertEquals(Map.of("theta", 10_000.0, "dims", dims), read(json));
  }

  @Test
  void whatIsNotSaidIsUsual() {
    assertEquals(Map.of("theta", 10_000.0, "dims", HEAD_DIM), read("{}"));
    assertEquals(Map.of("theta", 7.0, "dims", HEAD_DIM), read("{'rotary_emb_base': 7}"));
    Map<String, Object> own = RopeSettings.read(config("{}"), 3, 0.5, HEAD_DIM, CONTEXT).settings();
    assertEquals(Map.of("theta", 3.0, "dims", 8), own);
  }

  @ParameterizedTest(name = "{0}")
  @CsvSource(
      delimiter = '|',
      quoteCharacter = '`',
      value = {
        "'rope_type': 'xpos'|rope_scaling.rope_type=\"xpos\" is not supported; supported: default,"
            + " linear, dynamic, llama3, yarn, longrope, su, factors, proportional, mrope",
        "'type': 'dynamic'|rope_scaling.factor is missing; it must be a finite number",
        "'type': 'linear', 'factor': '2'|rope_scaling.factor=\"2\" must be a finite number",
        "'type': 'llama3', 'factor': 8, 'low_freq_factor': 1"
            + "|rope_scaling.high_freq_factor is missing; it must be a finite number",
        "'type': 'longrope', 'short_factor': [1]"
            + "|rope_scaling.long_factor is missing; it must be a list",
        "'type': 'yarn', 'original_max_position_embeddings': 0"
            + "|rope_scaling.original_max_position_embeddings=0 must be a whole number from 1 to"
            + " 2147483647",
      })
  void whatIsMissingOrUnknownIsNamed(String scaling, String message) {
    var e = assertThrows(ConfigException.class, () -> read("{'rope_scaling': {" + scaling + "}}"));
    assertEquals("config.json:1: " + message, e.getMessage());
  }

  /** A setting that the type does not use is left for the family to refuse. */
  @Test
  void nothingIsTakenThatIsNotUsed() {
    Config c = config("{'rope_scaling': {'type': 'linear', 'factor': 2, 'beta_fast': 3}}");
    RopeSettings.read(c, HEAD_DIM, CONTEXT);
    assertEquals(List.of("rope_scaling.beta_fast"), c.unread());
  }
}
