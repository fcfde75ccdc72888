package dev.apus.core;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.generate.EpsilonCutoff;
import dev.apus.core.generate.EtaCutoff;
import dev.apus.core.generate.LogitBias;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.Typical;
import dev.apus.core.tokenizer.Tokenizer;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a checkpoint's files say about generating. */
class GenerationSettingsTest {

  private static final Config NOTHING = Config.of("config.json", Map.of());

  /** Three tokens, in a file that says nothing of an end. */
  private static final String TOKENIZER =
      "{\"model\": {\"type\": \"BPE\", \"vocab\": {\"a\": 0, \"b\": 1, \"c\": 2}, \"merges\": []}}";

  private static Config generation(String json) {
    return Config.parse("generation_config.json", json.getBytes(UTF_8));
  }

  private static GenerationSettings read(String json, int vocabulary) {
    return GenerationSettings.read(generation(json), NOTHING, null, vocabulary);
  }

  @Test
  void aFileThatSaysNothingLeavesThePlainSettings() {
    assertEquals(new GenerationSettings(Set.of(), Sampling.plain()), read("{}", 8));
    assertEquals(
        new GenerationSettings(Set.of(), Sampling.plain()),
        GenerationSettings.read(null, NOTHING, null, 8));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {"7|7", "[3, 7]|3 7", "8|", "[8, 0]|0", "-1|", "4294967295|", "null|", "[]|"})
  void endTokensAreThoseThatTheModelHas(String ids, String expected) {
    Set<Integer> ends = read("{\"eos_token_id\": " + ids + "}", 8).endTokens();
    List<String> words = ends.stream().sorted().map(String::valueOf).toList();
    assertEquals(expected == null ? "" : expected, String.join(" ", words));
  }

  @Test
  void bothFilesTellOfEndTokens() {
    Config config = Config.of("config.json", Map.of("eos_token_id", List.of(2, 9)));
    var settings = GenerationSettings.read(generation("{\"eos_token_id\": 5}"), config, null, 8);
    assertEquals(Set.of(2, 5), settings.endTokens());
  }

  /** Rows that pad a vocabulary are never generated; asking for them would be refused. */
  @Test
  void anEndTokenInThePaddingIsDropped() {
    Tokenizer tokenizer = Tokenizer.parse("tokenizer.json", TOKENIZER.getBytes(UTF_8), null);
    assertEquals(3, tokenizer.vocabularySize());
    var settings =
        GenerationSettings.read(generation("{\"eos_token_id\": [2, 3, 7]}"), NOTHING, tokenizer, 8);
    assertEquals(Set.of(2), settings.endTokens());
    assertEquals(Set.of(3, 4, 5, 6, 7), settings.unusedTokens());
    settings =
        GenerationSettings.read(generation("{\"eos_token_id\": [1, 2]}"), NOTHING, tokenizer, 2);
    assertEquals(Set.of(1), settings.endTokens());
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = '|',
      value = {
        "2.5|2.5",
        "1e12|1.0E12",
        "1000000000000|1000000000000",
        "2147483648|2147483648",
        "[1, 2.5]|2.5",
        "[[1]]|[1]",
        "true|true",
        "'\"2\"'|'\"2\"'"
      })
  void whatIsNoIdIsRefused(String ids, String found) {
    var e = assertThrows(ConfigException.class, () -> read("{\"eos_token_id\": " + ids + "}", 8));
    assertEquals(
        "generation_config.json:1: eos_token_id holds "
            + found
            + "; needed: whole numbers from 0 to 2147483647",
        e.getMessage());
  }

  @ParameterizedTest
  @ValueSource(
      strings = {
        "{}",
        "{\"temperature\": 0.6, \"top_k\": 20, \"do_sample\": true, \"eos_token_id\": 2}",
        "{\"num_beams\": 1, \"typical_p\": 1.0, \"length_penalty\": 1, \"guidance_scale\": null}",
        "{\"no_repeat_ngram_size\": 0, \"suppress_tokens\": [], \"sequence_bias\": {}}",
        "{\"min_length\": 0, \"token_healing\": false, \"transformers_version\": \"5.17\"}"
      })
  void settingsThatChangeNothingAreFine(String json) {
    assertEquals(List.of(), IgnoredGeneration.keys(generation(json)));
    assertEquals("", logged(json));
  }

  @Test
  void everySettingThatIsNotHonouredIsNamed() {
    String json =
        "{\"typical_p\": 0.9, \"num_beams\": 4, \"token_healing\": true,"
            + " \"no_repeat_ngram_size\": 3, \"bad_words_ids\": [[1]], \"top_k\": 4,"
            + " \"length_penalty\": 0.8, \"begin_suppress_tokens\": [220]}";
    String keys =
        "bad_words_ids, begin_suppress_tokens, length_penalty, no_repeat_ngram_size, num_beams,"
            + " token_healing";
    assertEquals(keys, String.join(", ", IgnoredGeneration.keys(generation(json))));
    assertEquals(
        "WARN dev.apus.core.GenerationSettings - generation_config.json: the makers of the"
            + " model set "
            + keys
            + ", which is not supported: texts may differ from theirs\n",
        logged(json).replaceFirst("^\\[[^]]*] ", "").replace(System.lineSeparator(), "\n"));
  }

  @Test
  void whatTheMakersDropOrBanIsHonoured() {
    Sampling sampling =
        read(
                "{\"typical_p\": 0.9, \"epsilon_cutoff\": 0.01, \"eta_cutoff\": 0.02,"
                    + " \"suppress_tokens\": [1, 3, -1, 99], \"stop_strings\": [\"a\", \"b\"],"
                    + " \"frequency_penalty\": 0.5, \"presence_penalty\": 0.25}",
                8)
            .sampling();
    Map<Integer, Float> banned = Map.of(1, Float.NEGATIVE_INFINITY, 3, Float.NEGATIVE_INFINITY);
    assertEquals(
        List.of(
            new LogitBias(banned),
            new Typical(0.9f),
            new EpsilonCutoff(0.01f),
            new EtaCutoff(0.02f)),
        sampling.warpers());
    assertEquals(List.of("a", "b"), sampling.stopTexts());
    assertEquals(List.of("x"), read("{\"stop_strings\": \"x\"}", 8).sampling().stopTexts());
    assertEquals(0.5f, sampling.frequencyPenalty());
    assertEquals(0.25f, sampling.presencePenalty());
    assertThrows(ConfigException.class, () -> read("{\"stop_strings\": [1]}", 8));
    assertThrows(ConfigException.class, () -> read("{\"typical_p\": 2}", 8));
  }

  /** What reading the file logs. */
  private static String logged(String json) {
    PrintStream before = System.err;
    var bytes = new ByteArrayOutputStream();
    System.setErr(new PrintStream(bytes, true, UTF_8));
    try {
      read(json, 8);
    } finally {
      System.setErr(before);
    }
    return bytes.toString(UTF_8);
  }
}
