package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Every way to cut; what is expected is what the reference library answers. */
class SplitPreTokenizerTest {

  private static String split(String json, String text) throws IOException {
    PreTokenizer cutter =
        PreTokenizer.read(
            new Section("f", "p", new ObjectMapper().readTree(json.replace('\'', '"'))));
    List<PreTokenizer.Piece> pieces = new ArrayList<>();
    cutter.split(new PreTokenizer.Piece(text, true), pieces);
    return pieces.stream().map(PreTokenizer.Piece::text).collect(Collectors.joining("/"));
  }

  @ParameterizedTest
  @CsvSource({
    "Removed, false, a/b/c",
    "Removed, true, 1/-/2/2/-/-/3",
    "Isolated, false, a/1/-/b/2/2/-/-/c/3",
    "Isolated, true, a/1/-/b/2/2/-/-/c/3",
    "MergedWithPrevious, false, a1/-/b2/2/-/-/c3",
    "MergedWithPrevious, true, a/1/-b/2/2/-/-c/3",
    "MergedWithNext, false, a/1/-b/2/2/-/-c/3",
    "MergedWithNext, true, a1/-/b2/2/-/-/c3",
    "Contiguous, false, a/1-/b/22--/c/3",
    "Contiguous, true, a/1-/b/22--/c/3"
  })
  void behaves(String behavior, boolean invert, String pieces) throws IOException {
    assertEquals(
        pieces,
        split(
            "{'type': 'Split', 'pattern': {'Regex': '\\\\p{N}|-'}, 'behavior': '%s', 'invert': %s}"
                .formatted(behavior, invert),
            "a1-b22--c3"));
  }

  @Test
  void takesStringsLiterally() throws IOException {
    String json = "{'type': 'Split', 'pattern': {'String': '.*'}, 'behavior': 'Isolated'}";
    assertEquals("a/.*/b.c", split(json, "a.*b.c"));
  }

  @Test
  void cutsDigits() throws IOException {
    assertEquals("a/1/2/b/½", split("{'type': 'Digits', 'individual_digits': true}", "a12b½"));
    assertEquals("a/12/b/½", split("{'type': 'Digits', 'individual_digits': false}", "a12b½"));
  }

  @Test
  void addsTheSpaceBeforeTheText() throws IOException {
    String json = "{'type': 'ByteLevel', 'add_prefix_space': true}";
    assertEquals("Ġa", split(json, "a"));
    assertEquals("Ġa", split(json, " a"));
    assertEquals("Ġ/ĉ/a", split(json, "\ta"));
    assertEquals("Ġ/Âł/a", split(json, "\u00a0a"));
  }
}
