package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertAll;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.apus.core.SharedFolder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.function.Executable;

/** Encodings and decodings against those that the reference library recorded. */
class GoldenTokenizersTest {

  private static final int CASES = 180;

  @Test
  void agreesWithTheReference() throws IOException {
    List<Path> kinds;
    try (Stream<Path> folders = Files.list(SharedFolder.require("goldens/tokenizers"))) {
      kinds = folders.filter(Files::isDirectory).sorted().toList();
    }
    assertTrue(kinds.size() >= 10, "kinds: " + kinds);
    int texts = 0;
    List<String> wrong = new ArrayList<>();
    for (Path folder : kinds) {
      Tokenizer tokenizer = Tokenizer.read(folder);
      JsonNode cases =
          new ObjectMapper().readTree(folder.resolve("expected.json").toFile()).get("cases");
      assertEquals(CASES, cases.size());
      for (JsonNode row : cases) {
        texts++;
        try {
          assertAll(checks(tokenizer, row));
        } catch (AssertionError e) {
          wrong.add(folder.getFileName() + ": " + e.getMessage());
        }
      }
    }
    System.out.println(
        "tokenizers: " + (texts - wrong.size()) + " of " + texts + " texts identical");
    assertEquals(List.of(), wrong);
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
