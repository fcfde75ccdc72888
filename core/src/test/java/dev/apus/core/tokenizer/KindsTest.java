package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.MethodSource;

/** What holds for every kind of tokenizer, and what other libraries recorded of these. */
class KindsTest {

  private static final int MEGABYTE = 1 << 20;

  /** The longest tokens here have some twenty characters, and each place may look that far. */
  private static final int STEPS_PER_CHARACTER = 40;

  static Stream<String> folders() {
    return Kinds.FOLDERS.stream();
  }

  static Stream<Arguments> kinds() {
    return Kinds.all().entrySet().stream()
        .map(entry -> Arguments.of(entry.getKey(), entry.getValue()));
  }

  @ParameterizedTest
  @MethodSource("folders")
  void agreesWithWhatWasRecorded(String kind) throws IOException {
    JsonNode recorded = Kinds.cases(kind);
    agrees(Kinds.folder(kind), recorded, kind.startsWith("json"));
    for (JsonNode row : recorded.get("decodings")) {
      decodes(Kinds.folder(kind), row);
    }
  }

  private static void agrees(Tokenizer tokenizer, JsonNode recorded, boolean parseSpecial) {
    assertTrue(recorded.get("cases").size() >= 70);
    for (JsonNode row : recorded.get("cases")) {
      String text = row.get("text").textValue();
      assertArrayEquals(
          Recorded.ids(row.get("ids")), tokenizer.encode(text, false, parseSpecial), text);
      decodes(tokenizer, row);
    }
  }

  private static void decodes(Tokenizer tokenizer, JsonNode row) {
    int[] ids = Recorded.ids(row.get("ids"));
    String expected = row.get("decoded").textValue();
    assertEquals(expected, tokenizer.decode(ids), () -> Arrays.toString(ids));
    assertEquals(expected, Recorded.streamed(tokenizer, ids), () -> Arrays.toString(ids));
  }

  @ParameterizedTest
  @CsvSource({"sentencepiece-bpe, llama", "sentencepiece-unigram, t5"})
  void ggufHoldsTheSameModel(String kind, String ggml) throws IOException {
    Tokenizer tokenizer = Tokenizer.ofGguf(ggml, Kinds.pieces(kind, ggml));
    for (JsonNode row : Kinds.cases(kind).get("cases")) {
      String text = row.get("text").textValue();
      assertArrayEquals(Recorded.ids(row.get("ids")), tokenizer.encode(text, false, false), text);
    }
    assertEquals(List.of(), Arrays.stream(tokenizer.encode("", false, false)).boxed().toList());
  }

  @ParameterizedTest
  @CsvSource({"rwkv, gguf-rwkv", "json-wordpiece, gguf-bert"})
  void ggufGivesWhatTheFilesDo(String files, String gguf) throws IOException {
    Map<String, Tokenizer> kinds = Kinds.all();
    for (JsonNode row : Kinds.cases("rwkv").get("cases")) {
      String text = row.get("text").textValue() + " unaffable Ä日本, THE";
      int[] expected = kinds.get(files).encode(text);
      assertArrayEquals(expected, kinds.get(gguf).encode(text), text);
      assertEquals(kinds.get(files).decode(expected), kinds.get(gguf).decode(expected));
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void noTextPosesAsASpecialToken(String kind, Tokenizer tokenizer) {
    List<Integer> special =
        IntStream.range(0, tokenizer.vocabularySize())
            .filter(id -> isSpecial(tokenizer, id))
            .boxed()
            .toList();
    int[] around = tokenizer.encode("", true, false);
    boolean unknown = kind.matches("json-(suffix|prefix|words|wordpiece)|gguf-.*");
    for (int id : special) {
      String name = tokenizer.token(id);
      for (String text : List.of(name, "a" + name + "b", " " + name + " " + name, name + "\n")) {
        int[] ids = tokenizer.encode(text, false, false);
        assertFalse(
            Arrays.stream(ids)
                .anyMatch(
                    each -> special.contains(each) && !(unknown && isUnknown(tokenizer, each))),
            kind + " " + text + " " + Arrays.toString(ids));
        assertTrue(
            Arrays.stream(tokenizer.encode(text, false, true)).anyMatch(each -> each == id), text);
      }
    }
    assertTrue(kind.equals("json-precompiled") || !special.isEmpty(), "no special tokens");
    assertTrue(around.length <= 2);
  }

  private static boolean isSpecial(Tokenizer tokenizer, int id) {
    try {
      return tokenizer.isSpecial(id) && tokenizer.token(id) != null;
    } catch (IllegalArgumentException e) {
      return false;
    }
  }

  /** The token of what is unknown is special, but names nothing that steers a model. */
  private static boolean isUnknown(Tokenizer tokenizer, int id) {
    return tokenizer.token(id).matches("<unk>|\\[UNK]");
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void aMegabyteTakesStepsInProportion(String kind, Tokenizer tokenizer) {
    ComposedTokenizer composed = (ComposedTokenizer) tokenizer;
    var random = new SplittableRandom(6);
    StringBuilder anything = new StringBuilder();
    while (anything.length() < MEGABYTE / 4) {
      anything.appendCodePoint(random.nextInt(0x250));
    }
    for (String unit :
        List.of("a", " ", "abcdefghij", "ab", "日本語", "😀", "\u0301", anything.toString())) {
      String text = unit.repeat(MEGABYTE / 2 / unit.length());
      Ids ids = composed.ids(text, false, false);
      assertTrue(
          ids.steps() <= STEPS_PER_CHARACTER * (long) text.length(),
          () -> kind + ": " + ids.steps() + " steps for " + text.length() + " characters");
    }
  }

  @ParameterizedTest
  @MethodSource("kinds")
  void aStreamIsTheWholeInParts(String kind, Tokenizer tokenizer) {
    var random = new SplittableRandom(12);
    for (int round = 0; round < 200; round++) {
      int[] ids =
          IntStream.generate(() -> random.nextInt(tokenizer.vocabularySize()))
              .limit(random.nextInt(30))
              .toArray();
      assertEquals(tokenizer.decode(ids), Recorded.streamed(tokenizer, ids), kind);
    }
  }
}
