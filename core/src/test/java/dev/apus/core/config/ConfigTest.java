package dev.apus.core.config;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertSame;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.math.BigInteger;
import java.nio.charset.StandardCharsets;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConfigTest {

  private static final String TEXT =
      """
      {
        "model_type": "llama",
        "hidden_size": 66,
        "num_attention_heads": 4,
        "rms_norm_eps": 1e-5,
        "tie": true,
        "sliding_window": null,
        "layer_types": ["mamba", "attention"],
        "time_step_limit": [0.0, Infinity],
        "rope_scaling": {
          "factor": 8,
          "rope_type": "longrope"
        },
        "layers": [
          {"type": "a"},
          {"type": "b", "depth": 0}
        ]
      }
      """;

  private final Config config = parse(TEXT);

  @Test
  void readsEachType() {
    assertEquals("config.json", config.name());
    assertEquals("llama", config.word("model_type"));
    assertEquals(66, config.positive("hidden_size"));
    assertEquals(66, config.count("hidden_size"));
    assertEquals(66L, config.integer("hidden_size"));
    assertEquals(1e-5f, config.real("rms_norm_eps"));
    assertEquals(1e-5, config.number("rms_norm_eps"));
    assertEquals(66f, config.real("hidden_size"));
    assertTrue(config.flag("tie"));
    assertEquals(List.of("mamba", "attention"), config.words("layer_types"));
    assertEquals(List.of(0.0, Double.POSITIVE_INFINITY), config.numbers("time_step_limit"));
    assertEquals(8, config.section("rope_scaling").positive("factor"));
    assertEquals("b", config.sections("layers").get(1).word("type"));
    assertEquals(List.of(3, -4), parse("{\"a\": [3, -4]}").integers("a"));
    assertEquals("llama", config.choice("model_type", null, "llama", "qwen3"));
  }

  @Test
  void anAbsentKeyOrNullGivesTheDefault() {
    for (String key : List.of("nope", "sliding_window")) {
      assertFalse(config.has(key));
      assertFalse(config.hasSection(key));
      assertEquals(1, config.positive(key, 1));
      assertEquals(0, config.count(key, 0));
      assertEquals(-1L, config.integer(key, -1L));
      assertEquals(0.5f, config.real(key, 0.5f));
      assertEquals(0.25, config.number(key, 0.25));
      assertTrue(config.flag(key, true));
      assertEquals("w", config.word(key, "w"));
      assertEquals("silu", config.choice(key, "silu", "gelu"));
      assertNull(config.raw(key));
    }
  }

  @ParameterizedTest
  @ValueSource(
      strings = {"\"4096\"", "4096.0", "4e3", "2147483648", "0", "-1", "true", "[1]", "NaN"})
  void aPositiveNumberIsNothingElse(String value) {
    Config broken = parse("{\n\"hidden_size\": " + value + "}");
    String shown =
        switch (value) {
          case "4e3" -> "4000.0";
          default -> value;
        };
    String message =
        "config.json:2: hidden_size=" + shown + " must be a whole number from 1 to 2147483647";
    assertMessage(message, () -> broken.positive("hidden_size"));
    assertMessage(message, () -> broken.positive("hidden_size", 1));
  }

  @Test
  void saysWhichValueIsWrongAndWhatItMustBe() {
    Config broken =
        parse(
            """
            {"count": -1,
            "integer": 9223372036854775808,
            "real": 1e999,
            "float": 1e39,
            "tiny": 1e-50,
            "nan": NaN,
            "infinite": -Infinity,
            "flag": "true",
            "word": 5,
            "words": ["a", 5],
            "integers": [1, 2.5],
            "numbers": [1, NaN],
            "list": "a",
            "object": [],
            "objects": [{}, {"deep": {"key": []}}, 3]}
            """);
    assertMessage(
        "config.json:1: count=-1 must be a whole number from 0 to 2147483647",
        () -> broken.count("count"));
    assertMessage(
        "config.json:2: integer=9223372036854775808 must be a whole number from"
            + " -9223372036854775808 to 9223372036854775807",
        () -> broken.integer("integer"));
    assertMessage(
        "config.json:3: real=1E+999 must be a finite number", () -> broken.number("real"));
    assertMessage(
        "config.json:4: float=1.0E39 must be a finite number within the range of a float",
        () -> broken.real("float"));
    assertMessage(
        "config.json:5: tiny=1.0E-50 must be a finite number within the range of a float",
        () -> broken.real("tiny"));
    assertMessage("config.json:6: nan=NaN must be a finite number", () -> broken.real("nan"));
    assertMessage(
        "config.json:7: infinite=-Infinity must be a finite number",
        () -> broken.number("infinite", 1));
    assertMessage("config.json:8: flag=\"true\" must be true or false", () -> broken.flag("flag"));
    assertMessage("config.json:9: word=5 must be a string", () -> broken.word("word"));
    assertMessage("config.json:10: words[1]=5 must be a string", () -> broken.words("words"));
    assertMessage(
        "config.json:11: integers[1]=2.5 must be a whole number from -2147483648 to 2147483647",
        () -> broken.integers("integers"));
    assertMessage(
        "config.json:12: numbers[1]=NaN must be a number, finite or infinite",
        () -> broken.numbers("numbers"));
    assertMessage("config.json:13: list=\"a\" must be a list", () -> broken.words("list"));
    assertMessage("config.json:14: object=[] must be an object", () -> broken.section("object"));
    assertMessage("config.json:14: object=[] must be an object", () -> broken.hasSection("object"));
    assertMessage(
        "config.json:15: objects[2]=3 must be an object", () -> broken.sections("objects"));
  }

  @Test
  void saysWhatIsMissing() {
    assertMessage(
        "config.json: vocab_size is missing; it must be a whole number from 1 to 2147483647",
        () -> config.positive("vocab_size"));
    assertMessage(
        "config.json:7: sliding_window is missing; it must be a whole number from 0 to 2147483647",
        () -> config.count("sliding_window"));
    assertMessage(
        "config.json:10: rope_scaling.original is missing; it must be a finite number within the"
            + " range of a float",
        () -> config.section("rope_scaling").real("original"));
    assertMessage(
        "config.json:15: layers[0].depth is missing; it must be a whole number from 1 to"
            + " 2147483647",
        () -> config.sections("layers").getFirst().positive("depth"));
    assertMessage("config.json: moe is missing; it must be an object", () -> config.section("moe"));
    assertMessage(
        "config.json: act is missing; supported: silu, gelu",
        () -> config.choice("act", null, "silu", "gelu"));
  }

  @Test
  void saysWhichChoicesThereAre() {
    Config rope = config.section("rope_scaling");
    assertMessage(
        "config.json:12: rope_scaling.rope_type=\"longrope\" is not supported; supported: default,"
            + " linear, yarn, llama3",
        () -> rope.choice("rope_type", "default", "default", "linear", "yarn", "llama3"));
  }

  @Test
  void aShareMustDivide() {
    assertEquals(22, parse("{\"a\": 66, \"b\": 3}").share("a", "b"));
    assertMessage(
        "config.json:3: hidden_size=66 is not divisible by num_attention_heads=4",
        () -> config.share("hidden_size", "num_attention_heads"));
    assertMessage(
        "config.json:1: b=0 must be a whole number from 1 to 2147483647",
        () -> parse("{\"a\": 66, \"b\": 0}").share("a", "b"));
  }

  @Test
  void errorsOfTheReaderCarryTheFileAndTheLine() {
    assertEquals("config.json: 3 layers", config.error("%d layers", 3).getMessage());
    assertEquals("config.json: 100%", config.error("100%").getMessage());
    assertEquals(
        "config.json:8: layer_types has 2",
        config.errorAt("layer_types", "layer_types has 2").getMessage());
    assertEquals("config.json: x", config.errorAt("nope", "x").getMessage());
    assertEquals("config.json:10: x", config.section("rope_scaling").error("x").getMessage());
  }

  @Test
  void unreadKeysAreThoseNobodyAskedFor() {
    assertEquals(
        List.of(
            "model_type",
            "hidden_size",
            "num_attention_heads",
            "rms_norm_eps",
            "tie",
            "layer_types",
            "time_step_limit",
            "rope_scaling",
            "layers"),
        config.unread());
    config.word("model_type");
    config.flag("tie", false);
    config.ignore("hidden_size", "not_there");
    config.raw("num_attention_heads");
    assertThrows(ConfigException.class, () -> config.positive("rms_norm_eps"));
    config.words("layer_types");
    config.numbers("time_step_limit");
    assertTrue(config.has("layers"));
    assertTrue(config.hasSection("rope_scaling"));
    assertEquals(List.of("rope_scaling", "layers"), config.unread());
    config.section("rope_scaling").positive("factor");
    config.sections("layers").get(0).word("type");
    assertEquals(
        List.of("rope_scaling.rope_type", "layers[1].type", "layers[1].depth"), config.unread());
    config.section("rope_scaling").word("rope_type");
    config.raw("layers");
    assertEquals(List.of(), config.unread());
  }

  @Test
  void aSectionIsTheSameEachTime() {
    assertSame(config.section("rope_scaling"), config.section("rope_scaling"));
    assertSame(config.sections("layers"), config.sections("layers"));
  }

  @Test
  void aMapHasAllValues() {
    Map<String, Object> map = config.asMap();
    assertEquals(66L, map.get("hidden_size"));
    assertEquals(Map.of("factor", 8L, "rope_type", "longrope"), map.get("rope_scaling"));
    assertEquals(List.of(Map.of("type", "a"), Map.of("type", "b", "depth", 0L)), map.get("layers"));
    assertTrue(map.containsKey("sliding_window"));
    assertEquals(9, config.unread().size());
  }

  @Test
  void numbersThatJsonLacksMayBeSpelledOut() {
    Config spelled =
        parse(
            """
            {"a": [{"__float__": "Infinity"}, {"__float__": "-Infinity"}],
             "b": {"__float__": "NaN"}, "c": {"__float__": "x"}}\
            """);
    assertEquals(List.of(Double.POSITIVE_INFINITY, Double.NEGATIVE_INFINITY), spelled.numbers("a"));
    assertMessage("config.json:2: b=NaN must be a finite number", () -> spelled.number("b"));
    assertEquals("x", spelled.section("c").word("__float__"));
  }

  @Test
  void settingsFromCodeReadLikeThoseFromAFile() {
    Map<String, Object> values = new HashMap<>();
    values.put("none", null);
    values.put("int", 3);
    values.put("short", (short) 3);
    values.put("byte", (byte) 3);
    values.put("big", BigInteger.TWO);
    values.put("float", 0.1f);
    values.put("nested", Map.of("list", List.of(1, 2L, Map.of("x", true))));
    values.put("ints", new int[] {1, -2});
    values.put("longs", new long[] {3});
    values.put("floats", new float[] {0.5f});
    values.put("doubles", new double[] {0.25});
    values.put("flags", new boolean[] {true});
    Config code = Config.of("gguf", values);
    assertFalse(code.has("none"));
    for (String key : List.of("int", "short", "byte")) {
      assertEquals(3, code.positive(key));
    }
    assertEquals(2, code.count("big"));
    assertEquals(0.1f, code.real("float"));
    assertEquals(List.of(1, -2), code.integers("ints"));
    assertEquals(List.of(3), code.integers("longs"));
    assertEquals(List.of(0.5), code.numbers("floats"));
    assertEquals(List.of(0.25), code.numbers("doubles"));
    assertArrayEquals(new float[] {0.5f}, (float[]) code.raw("floats"));
    assertMessage("gguf: flags[0]=true must be a string", () -> code.words("flags"));
    assertMessage("gguf: ints=an array must be a string", () -> code.word("ints"));
    assertMessage(
        "gguf: nested.list[0]=1 must be a string", () -> code.section("nested").words("list"));
    assertMessage(
        "gguf: nested.list[2]={…} must be a number, finite or infinite",
        () -> code.section("nested").numbers("list"));
    assertMessage(
        "gguf: nested.x is missing; it must be true or false",
        () -> code.section("nested").flag("x"));
    var e = assertThrows(IllegalArgumentException.class, () -> Config.of("c", Map.of("k", 'x')));
    assertEquals("k holds a java.lang.Character, which no setting can be", e.getMessage());
  }

  private static List<String> unreadInside(String text, String section) {
    Config config = parse(text);
    config.section(section);
    return config.unread();
  }

  private static Config parse(String text) {
    return Config.parse("config.json", text.getBytes(StandardCharsets.UTF_8));
  }

  private static void assertMessage(String message, Runnable call) {
    assertEquals(message, assertThrows(ConfigException.class, call::run).getMessage());
  }
}
