package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.apus.core.SharedFolder;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;
import org.junit.jupiter.api.function.Executable;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Encodings and decodings against those that the reference library recorded. */
class GoldenTokenizersTest {

  @ParameterizedTest
  @ValueSource(
      strings = {
        "gpt2",
        "gpt2_regex",
        "llama3",
        "qwen2",
        "qwen3_5",
        "gpt4o",
        "llama2",
        "mistral_metaspace",
        "unigram",
        "wordpiece"
      })
  void agreesWithTheReference(String kind) throws IOException {
    Path folder = SharedFolder.require("goldens/tokenizers/" + kind);
    Tokenizer tokenizer = Tokenizer.read(folder);
    JsonNode cases =
        new ObjectMapper().readTree(folder.resolve("expected.json").toFile()).get("cases");
    assertEquals(180, cases.size());
    assertAll(
        StreamSupport.stream(cases.spliterator(), false).flatMap(row -> checks(tokenizer, row)));
  }

  /** The reference finds special tokens inside a text unless told otherwise. */
  private static Stream<Executable> checks(Tokenizer tokenizer, JsonNode row) {
    String text = row.get("text").textValue();
    int[] ids = Recorded.ids(row.get("ids"));
    int[] withSpecial = Recorded.ids(row.get("with_special"));
    return Stream.of(
        () -> assertArrayEquals(ids, tokenizer.encode(text, false, true), text),
        () -> assertArrayEquals(withSpecial, tokenizer.encode(text, true, true), text),
        () -> assertEquals(row.get("decoded").textValue(), tokenizer.decode(ids, true)),
        () -> assertEquals(row.get("decoded_skip").textValue(), tokenizer.decode(withSpecial)),
        () ->
            assertEquals(
                row.get("decoded_skip").textValue(), Recorded.streamed(tokenizer, withSpecial)));
  }
}
