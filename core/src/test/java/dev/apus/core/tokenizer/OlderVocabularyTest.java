package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Folders with the files of older checkpoints. */
class OlderVocabularyTest {

  private static final String PAIRS =
      "{\"<|endoftext|>\": 0, \"<s>\": 1, \"</s>\": 2, \"a\": 3, \"b\": 4, \"\u0120\": 5,"
          + " \"ab\": 6, \"\u0120ab\": 7, \"#\": 8, \"##\": 9}";
  private static final String MERGES = "#version: 0.2\na b\n\u0120 ab\n# #\n";
  private static final String WORDS = "[PAD]\n[UNK]\n[CLS]\n[SEP]\nab\n##b\na\nA\nca\n##f\u00e9\n";

  private static Tokenizer tokenizer(Map<String, String> files) {
    return Tokenizer.read("folder", file -> bytes(files.get(file))).orElseThrow();
  }

  private static byte[] bytes(String text) {
    return text == null ? null : text.getBytes(StandardCharsets.UTF_8);
  }

  private static Map<String, String> pairs(String config) {
    return new HashMap<>(
        Map.of("vocab.json", PAIRS, "merges.txt", MERGES, "tokenizer_config.json", config));
  }

  private static Map<String, String> words(String config) {
    return Map.of("vocab.txt", WORDS, "tokenizer_config.json", config);
  }

  /** Vocabularies are large files, and read whenever a program starts. */
  @ParameterizedTest
  @CsvSource({"vocab.json", "vocab.txt", "tokenizer.json"})
  void aVocabularyIsReadOnce(String vocabulary) {
    Map<String, String> files = new HashMap<>(Map.of("merges.txt", MERGES, "vocab.txt", WORDS));
    if (!vocabulary.equals("vocab.txt")) {
      files.put("vocab.json", PAIRS);
    }
    if (vocabulary.equals("tokenizer.json")) {
      var older = TokenizerFolder.vocabulary(file -> bytes(files.get(file)));
      byte[] json = older.json("folder", file -> bytes(files.get(file)));
      files.put("tokenizer.json", new String(json, StandardCharsets.UTF_8));
    }
    List<String> read = new ArrayList<>();
    Tokenizer.read(
            "folder",
            file -> {
              read.add(file);
              return bytes(files.get(file));
            })
        .orElseThrow();
    assertEquals(1, Collections.frequency(read, vocabulary), read.toString());
  }

  @Test
  void pairsAreJoinedInTheOrderOfTheirLines() {
    Tokenizer tokenizer = tokenizer(Map.of("vocab.json", PAIRS, "merges.txt", MERGES));
    assertArrayEquals(new int[] {6, 7, 5, 3}, tokenizer.encode("ab ab a"));
    assertArrayEquals(new int[] {9, 8}, tokenizer.encode("###"));
    assertEquals("ab ab a", tokenizer.decode(tokenizer.encode("ab ab a")));
    assertArrayEquals(new int[] {0}, tokenizer.encode("<|endoftext|>", false, true));
    assertTrue(tokenizer.isSpecial(0));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{\"add_prefix_space\": true}; 7",
        "{\"add_bos_token\": true, \"bos_token\": \"<s>\"}; 1 6",
        "{\"tokenizer_class\": \"RobertaTokenizer\"}; 1 6 2",
        "{\"tokenizer_class\": \"Qwen2TokenizerFast\"}; 6"
      })
  void theConfigIsHonoured(String config, String ids) {
    int[] expected = List.of(ids.split(" ")).stream().mapToInt(Integer::parseInt).toArray();
    assertArrayEquals(expected, tokenizer(pairs(config)).encode("ab"));
  }

  @Test
  void addedTokensAreFoundInText() {
    Map<String, String> files = pairs("{}");
    files.put("added_tokens.json", "{\"<new>\": 10}");
    assertArrayEquals(new int[] {3, 10, 4}, tokenizer(files).encode("a<new>b"));
  }

  @ParameterizedTest
  @CsvSource(
      delimiter = ';',
      value = {
        "{}; AB; 2 4 3",
        "{\"do_lower_case\": false}; AB A; 2 1 7 3",
        "{\"do_lower_case\": false, \"strip_accents\": false}; caf\u00e9; 2 8 9 3",
        "{}; caf\u00e9; 2 1 3",
        "{\"do_lower_case\": false, \"cls_token\": \"[PAD]\"}; ab; 0 4 3"
      })
  void wordsAreCutAsTheConfigSays(String config, String text, String ids) {
    int[] expected = List.of(ids.split(" ")).stream().mapToInt(Integer::parseInt).toArray();
    assertArrayEquals(expected, tokenizer(words(config)).encode(text));
  }

  @Test
  void whatIsNotKnownIsRefused() {
    refused("tokenizer_class=\"CLIPTokenizer\"", pairs("{\"tokenizer_class\": \"CLIPTokenizer\"}"));
    refused(
        "tokenizer_class=\"BertJapaneseTokenizer\"",
        words("{\"tokenizer_class\": \"BertJapaneseTokenizer\"}"));
    refused("do_basic_tokenize=false", words("{\"do_basic_tokenize\": false}"));
    refused("needs merges.txt", Map.of("vocab.json", PAIRS));
    refused("no token \"[X]\"", words("{\"cls_token\": \"[X]\"}"));
  }

  private static void refused(String message, Map<String, String> files) {
    var error = assertThrows(TokenizerException.class, () -> tokenizer(files));
    assertTrue(error.getMessage().contains(message), error.getMessage());
  }
}
