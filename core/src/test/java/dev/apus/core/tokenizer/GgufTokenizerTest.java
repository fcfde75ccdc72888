package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.OptionalInt;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

class GgufTokenizerTest {

  /** What a GGUF file of a Fable model would hold. */
  private static Map<String, Object> fable() throws IOException {
    JsonNode model =
        new ObjectMapper().readTree(Recorded.bytes("/fable/tokenizer.json")).get("model");
    String[] tokens = new String[model.get("vocab").size()];
    model
        .get("vocab")
        .properties()
        .forEach(entry -> tokens[entry.getValue().intValue()] = entry.getKey());
    List<String> merges = new ArrayList<>();
    model
        .get("merges")
        .forEach(pair -> merges.add(pair.get(0).textValue() + " " + pair.get(1).textValue()));
    int[] types = new int[tokens.length];
    Arrays.fill(types, 1);
    types[0] = 3;
    types[1] = 3;
    Map<String, Object> metadata = new HashMap<>();
    metadata.put("tokenizer.ggml.model", "gpt2");
    metadata.put("tokenizer.ggml.pre", "dbrx");
    metadata.put("tokenizer.ggml.tokens", List.of(tokens));
    metadata.put("tokenizer.ggml.token_type", types);
    metadata.put("tokenizer.ggml.merges", merges);
    metadata.put("tokenizer.ggml.eos_token_id", 0L);
    return metadata;
  }

  @Test
  void equalsTheTokenizerOfTheSameVocabulary() throws IOException {
    Tokenizer tokenizer = Tokenizer.ofGguf("fable.gguf", fable());
    Tokenizer expected = Recorded.fable();
    for (JsonNode row : Recorded.answers("encodings")) {
      int[] plain = Recorded.ids(row.get("plain"));
      int[] parsed = row.has("parsed") ? Recorded.ids(row.get("parsed")) : plain;
      String text = row.get("text").textValue();
      assertArrayEquals(plain, tokenizer.encode(text), text);
      assertArrayEquals(parsed, tokenizer.encode(text, true, true), text);
      assertEquals(expected.decode(parsed), tokenizer.decode(parsed));
    }
    assertEquals(OptionalInt.of(0), tokenizer.end());
    assertEquals(OptionalInt.empty(), tokenizer.beginning());
    assertTrue(tokenizer.isSpecial(1));
  }

  @Test
  void beginsAndEndsAsTheFileSays() throws IOException {
    Map<String, Object> metadata = fable();
    metadata.put("tokenizer.ggml.bos_token_id", 1);
    assertEquals(2, Tokenizer.ofGguf("f", with(metadata, "pre", "llama-bpe")).encode("a").length);
    metadata.put("tokenizer.ggml.add_bos_token", true);
    metadata.put("tokenizer.ggml.add_eos_token", true);
    Tokenizer tokenizer = Tokenizer.ofGguf("f", metadata);
    int a = tokenizer.id("a").getAsInt();
    assertArrayEquals(new int[] {1, a, 0}, tokenizer.encode("a"));
    assertArrayEquals(new int[] {a}, tokenizer.encode("a", false, false));
    metadata.put("tokenizer.ggml.add_bos_token", false);
    metadata.put("tokenizer.ggml.pre", "llama-bpe");
    assertArrayEquals(new int[] {a, 0}, Tokenizer.ofGguf("f", metadata).encode("a"));
  }

  private static Map<String, Object> with(Map<String, Object> metadata, String key, Object value) {
    Map<String, Object> changed = new HashMap<>(metadata);
    changed.put("tokenizer.ggml." + key, value);
    return changed;
  }

  static Stream<Arguments> broken() {
    return Stream.of(
        Arguments.of("model", "plamo2", "f: tokenizer.ggml.model=\"plamo2\" is not supported"),
        Arguments.of("model", "llama", "f: tokenizer.ggml.scores is missing; needed: an array"),
        Arguments.of("model", 7, "f: tokenizer.ggml.model is 7; needed: a string"),
        Arguments.of("model", null, "f: tokenizer.ggml.model is missing; needed: a string"),
        Arguments.of("pre", "whitespace", "f: tokenizer.ggml.pre=\"whitespace\" is not supported"),
        Arguments.of("tokens", new int[3], "f: tokenizer.ggml.tokens is a int[]; needed:"),
        Arguments.of("tokens", List.of("a", 1), "f: tokenizer.ggml.tokens is a List12; needed:"),
        Arguments.of("tokens", List.of("a", "a"), "f: the vocabulary holds \"a\" twice"),
        Arguments.of("tokens", List.of(), "f: the vocabulary is empty"),
        Arguments.of("token_type", new long[3], "f: tokenizer.ggml.token_type has 3 entries, but"),
        Arguments.of("token_type", "x", "f: tokenizer.ggml.token_type is \"x\"; needed:"),
        Arguments.of("merges", List.of("ab"), "f: merge 0 is \"ab\"; needed: two tokens"),
        Arguments.of("merges", List.of("a ☃"), "f: merge 0 joins \"a\" and \"☃\", but the"),
        Arguments.of("bos_token_id", -1, "f: tokenizer.ggml.bos_token_id is -1; needed: an id"),
        Arguments.of("eos_token_id", 1L << 40, "f: tokenizer.ggml.eos_token_id is 1099511627776"),
        Arguments.of("add_bos_token", true, "f: tokenizer.ggml.bos_token_id is missing; needed:"),
        Arguments.of("add_eos_token", "yes", "f: tokenizer.ggml.add_eos_token is \"yes\""));
  }

  @ParameterizedTest(name = "{0} = {1}")
  @MethodSource("broken")
  void saysWhatIsWrong(String key, Object value, String message) throws IOException {
    Map<String, Object> metadata = with(fable(), key, value);
    if (key.equals("tokens")) {
      metadata.remove("tokenizer.ggml.token_type");
    }
    var error = assertThrows(TokenizerException.class, () -> Tokenizer.ofGguf("f", metadata));
    assertTrue(error.getMessage().startsWith(message), error.getMessage());
  }
}
