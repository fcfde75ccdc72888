package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Unigram and WordPiece; what is expected by value is what the reference library answers. */
class OtherModelsTest {

  private static final List<String> PIECES =
      List.of("<unk>", "a", "b", "ab", "abc", "c", "bc", "<0xC3>", "<0xA9>", "😀x");
  private static final double[] SCORES = {0, -1, -1.5, -2.25, -2.5, -3, -1.2, -9, -9, -2};

  private static Tokenizer unigram(boolean byteFallback) {
    StringBuilder vocabulary = new StringBuilder();
    for (int i = 0; i < SCORES.length; i++) {
      vocabulary.append(i == 0 ? "" : ",").append("['%s',%s]".formatted(PIECES.get(i), SCORES[i]));
    }
    return parse(
        "{'model': {'type': 'Unigram', 'unk_id': 0, 'vocab': [%s], 'byte_fallback': %s}}"
            .formatted(vocabulary, byteFallback));
  }

  private static Tokenizer wordPiece() {
    return parse(
        "{'model': {'type': 'WordPiece', 'unk_token': '[UNK]', 'continuing_subword_prefix': '##',"
            + " 'max_input_chars_per_word': 8, 'vocab': {'[UNK]': 0, 'un': 1, '##aff': 2, '##able':"
            + " 3, 'a': 4, '##a': 5, '##b': 6, 'é': 7, '##é': 8, 'unaff': 9}}}");
  }

  private static Tokenizer parse(String json) {
    return Tokenizer.parse(
        "t.json", json.replace('\'', '"').getBytes(StandardCharsets.UTF_8), null);
  }

  private static String ids(Tokenizer tokenizer, String text) {
    return Arrays.stream(tokenizer.encode(text))
        .mapToObj(Integer::toString)
        .collect(Collectors.joining(" "));
  }

  @ParameterizedTest
  @CsvSource({
    "abc, 1 6, 1 6",
    "abab, 3 3, 3 3",
    "abcabc, 1 6 1 6, 1 6 1 6",
    "xéy, 0, 0",
    "éé, 0, 7 8 7 8",
    "a😀xb😀, 1 9 2 0, 1 9 2 0",
    "cé, 5 0, 5 7 8",
    "<unk>a, 0 1, 0 1",
    "aébx, 1 0 2 0, 1 7 8 2 0"
  })
  void unigramCutsAsTheReferenceDoes(String text, String ids, String idsWithBytes) {
    assertEquals(ids, ids(unigram(false), text));
    assertEquals(idsWithBytes, ids(unigram(true), text));
  }

  /** The definition: the greatest sum of scores over all ways to cut. */
  @Test
  void unigramCutsLikeliest() {
    Tokenizer tokenizer = unigram(false);
    var random = new SplittableRandom(4);
    for (int round = 0; round < 300; round++) {
      StringBuilder text = new StringBuilder();
      for (int length = random.nextInt(12); length > 0; length--) {
        text.append("abc".charAt(random.nextInt(3)));
      }
      double score = 0;
      for (int id : tokenizer.encode(text.toString())) {
        score += SCORES[id];
      }
      assertEquals(best(text.toString()), score, 1e-9, text.toString());
    }
  }

  private static double best(String text) {
    if (text.isEmpty()) {
      return 0;
    }
    double best = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < SCORES.length; i++) {
      if (text.startsWith(PIECES.get(i))) {
        best = Math.max(best, SCORES[i] + best(text.substring(PIECES.get(i).length())));
      }
    }
    return best;
  }

  @ParameterizedTest
  @CsvSource({
    "unaffable, 0",
    "unaffa, 9 5",
    "aab, 4 5 6",
    "ax, 0",
    "aaaaaaaa, 4 5 5 5 5 5 5 5",
    "aaaaaaaaa, 0",
    "éé, 7 8",
    "u, 0",
    "b, 0"
  })
  void wordPieceCutsAsTheReferenceDoes(String text, String ids) {
    assertEquals(ids, ids(wordPiece(), text));
  }

  @Test
  void aSpecialTokenIsNoPiece() {
    Tokenizer tokenizer =
        parse(
            "{'added_tokens': [{'id': 1, 'content': '<s>', 'special': true}], 'model': {'type':"
                + " 'Unigram', 'unk_id': 0, 'vocab': [['<unk>', 0], ['<s>', 0], ['<', -5],"
                + " ['s', -5], ['>', -5]]}}");
    assertEquals("2 3 4", ids(tokenizer, "<s>"));
    assertEquals(1, tokenizer.encode("<s>", true, true)[0]);
  }
}
