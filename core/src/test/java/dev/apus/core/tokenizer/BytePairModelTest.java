package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class BytePairModelTest {

  private static String ids(Tokenizer tokenizer, String text) {
    return Arrays.stream(tokenizer.encode(text))
        .mapToObj(Integer::toString)
        .collect(Collectors.joining(" "));
  }

  /** Random merges, many of which give the same token in two ways, against the reference. */
  @Test
  void mergesAsTheReferenceDoes() throws IOException {
    JsonNode cases =
        new ObjectMapper().readTree(Recorded.bytes("/tokenizer/merges.json")).get("cases");
    assertEquals(60, cases.size());
    for (JsonNode row : cases) {
      Tokenizer tokenizer =
          TinyFile.of(texts(row.get("vocab")))
              .merges(texts(row.get("merges")).toArray(String[]::new))
              .read();
      for (int i = 0; i < row.get("texts").size(); i++) {
        String text = row.get("texts").get(i).textValue();
        assertArrayEquals(
            Recorded.ids(row.get("ids").get(i)), tokenizer.encode(text), text + " in " + row);
      }
    }
  }

  private static List<String> texts(JsonNode array) {
    List<String> texts = new ArrayList<>();
    array.forEach(text -> texts.add(text.textValue()));
    return texts;
  }

  /** The definition: join the pair of the lowest rank, the leftmost first, until there is none. */
  @Test
  void mergesAsDefined() {
    List<String> merges = List.of("a b", "b c", "c a", "ab c", "ca b", "abc a", "a a", "aa aa");
    List<String> tokens = new ArrayList<>(List.of("a", "b", "c"));
    merges.forEach(merge -> tokens.add(merge.replace(" ", "")));
    Tokenizer tokenizer = TinyFile.of(tokens).merges(merges.toArray(String[]::new)).read();
    var random = new SplittableRandom(5);
    for (int round = 0; round < 500; round++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(100); length > 0; length--) {
        text.append("abc".charAt(random.nextInt(3)));
      }
      String expected =
          defined(text.toString(), merges).stream()
              .map(token -> Integer.toString(tokens.indexOf(token)))
              .collect(Collectors.joining(" "));
      assertEquals(expected, ids(tokenizer, text.toString()), text.toString());
    }
  }

  private static List<String> defined(String text, List<String> merges) {
    List<String> tokens = new ArrayList<>(text.chars().mapToObj(Character::toString).toList());
    while (true) {
      int best = merges.size();
      int bestAt = 0;
      for (int i = 0; i + 1 < tokens.size(); i++) {
        int rank = merges.indexOf(tokens.get(i) + " " + tokens.get(i + 1));
        if (rank >= 0 && rank < best) {
          best = rank;
          bestAt = i;
        }
      }
      if (best == merges.size()) {
        return tokens;
      }
      tokens.set(bestAt, tokens.get(bestAt) + tokens.remove(bestAt + 1));
    }
  }

  @Test
  void readsMergesAsPairs() {
    Tokenizer tokenizer =
        TinyFile.of(List.of("a", "b c", "ab c"))
            .set("model.merges", "[['a', 'b c']]")
            .set("pre_tokenizer", "null")
            .read();
    assertEquals("0", ids(tokenizer, "a"));
  }

  @ParameterizedTest
  @CsvSource({
    "false, false, abxyab, 3 2 2 3",
    "false, false, xéx, 2 2 2",
    "true, false, abxyab, 3 2 3",
    "true, false, éxéyyab, 2 3",
    "false, true, éxéyyab, 4 5 4 5 2 2 2 3",
    "false, true, xyé, 2 4 5 2",
    "true, true, éxéyyab, 4 5 4 5 2 3",
    "true, true, xéx, 4 5 2"
  })
  void writesUnknownCharacters(boolean fuse, boolean bytes, String text, String ids) {
    Tokenizer tokenizer =
        TinyFile.of(List.of("a", "b", "<unk>", "ab", "<0xC3>", "<0xA9>"))
            .merges("a b")
            .set("model.unk_token", "'<unk>'")
            .set("model.fuse_unk", Boolean.toString(fuse))
            .set("model.byte_fallback", Boolean.toString(bytes))
            .read();
    assertEquals(ids, ids(tokenizer, text));
  }

  @Test
  void dropsUnknownCharactersWithoutATokenForThem() {
    assertEquals("0 1", ids(TinyFile.letters("ab").read(), "xaybz"));
  }

  @Test
  void wholeTokensNeedNoMergesIfTheFileSaysSo() {
    TinyFile file = TinyFile.of(List.of("a", "b", "ab", "ba")).special("ba");
    assertEquals("0 1", ids(file.read(), "ab"));
    Tokenizer ignoring = file.set("model.ignore_merges", "true").read();
    assertEquals("2", ids(ignoring, "ab"));
    assertEquals("1 0", ids(ignoring, "ba"), "a special token never comes from plain text");
  }
}
