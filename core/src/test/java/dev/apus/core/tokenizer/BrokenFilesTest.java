package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.SplittableRandom;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Every broken file is refused in a sentence that names the file and the place. */
class BrokenFilesTest {

  private static final String EMPTY_MODEL = "'model': {'type': 'BPE', 'vocab': {'a': 0}}";

  private static TokenizerException refusal(String json) {
    byte[] bytes = json.replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    return assertThrows(TokenizerException.class, () -> Tokenizer.parse("t.json", bytes, null));
  }

  static Stream<Arguments> files() {
    return Stream.of(
        Arguments.of("", "t.json: line 1, column 0 holds nothing; needed: an object"),
        Arguments.of("[]", "t.json: line 1, column 1 holds START_ARRAY; needed: an object"),
        Arguments.of("{}", "t.json: model is missing"),
        Arguments.of("{'model': {'type': 'BPE'", "t.json: line 1, column"),
        Arguments.of("{'model': {}} x", "t.json: line 1, column"),
        Arguments.of("{'model': {}} {}", "t.json: line 1, column 15 holds START_OBJECT; needed"),
        Arguments.of("{'a': " + "[".repeat(100_000), "t.json: line 1, column"),
        Arguments.of("{'model': " + "{'a':".repeat(100_000), "t.json: line 1, column"),
        Arguments.of("{'version': 1, 'version': 2}", "t.json: line 1, column"),
        Arguments.of(model("{}"), "t.json: the vocabulary is empty"),
        Arguments.of(model("{'a': 0, 'a': 1}"), "t.json: line 1, column"),
        Arguments.of(model("{'a': 0, 'b': 0}"), "t.json: id 0 names two tokens, \"a\" and \"b\""),
        Arguments.of(model("{'a': -1}"), "t.json: model.vocab[\"a\"] is -1; needed: an id from 0"),
        Arguments.of(
            model("{'a': 2147483648}"), "t.json: model.vocab[\"a\"] is 2147483648; needed"),
        Arguments.of(model("{'a': 99999999999999999999}"), "t.json: model.vocab[\"a\"] is 9999"),
        Arguments.of(model("{'a': 1.5}"), "t.json: line 1, column"),
        Arguments.of(model("{'a': null}"), "t.json: line 1, column"),
        Arguments.of(
            model("7"), "t.json: line 1, column 36 holds VALUE_NUMBER_INT; needed: an obj"),
        Arguments.of(merges("'a b c'"), "t.json: merge 0 is \"a b c\"; needed: two tokens"),
        Arguments.of(merges("'ab'"), "t.json: merge 0 is \"ab\"; needed: two tokens"),
        Arguments.of(merges("['a', 'b', 'c']"), "t.json: line 1, column"),
        Arguments.of(merges("['a', 7]"), "t.json: line 1, column"),
        Arguments.of(
            merges("'a x'"), "t.json: merge 0 joins \"a\" and \"x\", but the vocabulary has"),
        Arguments.of(
            merges("'b a'"), "t.json: merge 0 joins \"b\" and \"a\", but the vocabulary has"),
        Arguments.of(
            merges("'a b', 'a b'"), "t.json: merge 1 joins \"a\" and \"b\", as merge 0 did"),
        Arguments.of(
            "{'model': {'type': 'Magic', 'vocab': {'a': 0}}}", "t.json: model.type=\"Magic\""),
        Arguments.of("{'model': {'vocab': {'a': 0}}}", "t.json: model.type is missing; needed"),
        Arguments.of(
            "{'model': {'type': 'BPE', 'vocab': {'a': 0}, 'dropout': 0.1}}",
            "t.json: model.dropout is 0.1; needed: null or 0"),
        Arguments.of(
            "{'model': {'type': 'BPE', 'vocab': {'a': 0}, 'unk_token': 'u'}}",
            "t.json: model.unk_token is \"u\"; needed: a token"),
        Arguments.of(
            "{'model': {'type': 'BPE', 'vocab': {'a': 0}, 'new': 1}}",
            "t.json: model.new is not supported here"),
        Arguments.of(
            "{'model': {'type': 'BPE', 'vocab': {'a': 0}, 'end_of_word_suffix': 1}}",
            "t.json: model.end_of_word_suffix is 1; needed: a string"),
        Arguments.of(
            with("'normalizer': {'type': 'X'}"),
            "t.json: normalizer.type=\"X\" is not supported; supported: Seq"),
        Arguments.of(
            with("'normalizer': {'type': 'Sequence', 'normalizers': [{'type': 'NFC'}, {}]}"),
            "t.json: normalizer.normalizers[1].type is missing"),
        Arguments.of(
            with("'pre_tokenizer': {'type': 'X'}"),
            "t.json: pre_tokenizer.type=\"X\" is not supported; supported: Seq"),
        Arguments.of(
            with(
                "'pre_tokenizer': {'type': 'Split', 'pattern': {'Regex': '(?:a|b)*'}, 'behavior':"
                    + " 'Isolated'}"),
            "t.json: pre_tokenizer.pattern.Regex: the pattern"),
        Arguments.of(
            with("'pre_tokenizer': {'type': 'Split', 'pattern': {'String': 'a'}, 'behavior': 'X'}"),
            "t.json: pre_tokenizer.behavior=\"X\" is not supported"),
        Arguments.of(
            with("'pre_tokenizer': {'type': 'ByteLevel', 'add_prefix_space': 1}"),
            "t.json: pre_tokenizer.add_prefix_space is 1; needed: true or f"),
        Arguments.of(
            with("'post_processor': {'type': 'X'}"),
            "t.json: post_processor.type=\"X\" is not supported; supported: "),
        Arguments.of(
            with(
                "'post_processor': {'type': 'TemplateProcessing', 'single': [{'SpecialToken':"
                    + " {'id': 's'}}], 'special_tokens': {'s': {'id': 's', 'ids': [9]}}}"),
            "t.json: post_processor.special_tokens.s.ids holds 9; needed:"),
        Arguments.of(
            with("'decoder': {'type': 'X'}"),
            "t.json: decoder.type=\"X\" is not supported; supported: "),
        Arguments.of(
            with("'added_tokens': [{'id': 1, 'content': ''}]"),
            "t.json: added_tokens[0].content is \"\"; needed: 1 to"),
        Arguments.of(
            with("'added_tokens': [{'id': -1, 'content': 'b'}]"),
            "t.json: added_tokens[0].id is -1; needed: an integer"),
        Arguments.of(
            with("'added_tokens': [{'id': 1, 'content': 'a'}]"),
            "t.json: the token \"a\" has two ids, 0 and 1"),
        Arguments.of(
            with("'added_tokens': [{'id': 0, 'content': 'b'}]"),
            "t.json: id 0 names two tokens, \"a\" and \"b\""),
        Arguments.of(with("'surprise': 1"), "t.json: surprise is not supported here"));
  }

  private static String model(String vocabulary) {
    return "{'model': {'type': 'BPE', 'vocab': " + vocabulary + ", 'merges': []}}";
  }

  private static String merges(String merges) {
    return "{'model': {'type': 'BPE', 'vocab': {'a': 0, 'b': 1, 'ab': 2}, 'merges': [%s]}}"
        .formatted(merges);
  }

  private static String with(String section) {
    return "{" + section + ", " + EMPTY_MODEL + "}";
  }

  @ParameterizedTest
  @MethodSource("files")
  void saysWhatIsWrong(String json, String message) {
    String found = refusal(json).getMessage();
    assertTrue(found.startsWith(message), found);
  }

  @Test
  void anyCutOfAFileIsRefused() {
    byte[] whole = TinyFile.of(List.of("a", "b", "ab")).merges("a b").bytes();
    for (int length = 0; length < whole.length; length++) {
      byte[] cut = Arrays.copyOf(whole, length);
      assertThrows(TokenizerException.class, () -> Tokenizer.parse("cut", cut, null));
    }
  }

  /** A changed byte may go unnoticed, but nothing else than a refusal may come of it. */
  @Test
  void anyChangeOfAFileIsReadOrRefused() {
    byte[] whole =
        TinyFile.letters("abcdefg")
            .special("<s>")
            .set("normalizer", "{'type': 'NFC'}")
            .set(
                "pre_tokenizer",
                "{'type': 'Split', 'pattern': {'Regex': '[a-c]+|\\\\s(?!b)'}, 'behavior':"
                    + " 'Isolated'}")
            .set(
                "post_processor",
                "{'type': 'TemplateProcessing', 'single': [{'SpecialToken': {'id': '<s>'}},"
                    + " {'Sequence': {'id': 'A'}}], 'special_tokens': {'<s>': {'id': '<s>', 'ids':"
                    + " [7]}}}")
            .bytes();
    Tokenizer.parse("whole", whole, null);
    var random = new SplittableRandom(21);
    int refused = 0;
    for (int round = 0; round < 5000; round++) {
      byte[] changed = whole.clone();
      changed[random.nextInt(changed.length)] = (byte) random.nextInt(128);
      try {
        Tokenizer.parse("changed", changed, null).encode("abc d<s>");
      } catch (TokenizerException e) {
        refused++;
      }
    }
    assertTrue(refused > 1000, "refused only " + refused);
  }

  @Test
  void refusesAnOversizedFileBeforeReadingIt(@TempDir Path folder) throws IOException {
    Path file = folder.resolve("tokenizer.json");
    try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(TokenizerFile.LARGEST_BYTES + 1L);
    }
    var refusal = assertThrows(TokenizerException.class, () -> Tokenizer.read(folder));
    assertEquals(file + ": 268435457 bytes; at most 268435456 are read", refusal.getMessage());
  }

  @Test
  void namesTheFileThatIsMissing(@TempDir Path folder) {
    var refusal = assertThrows(TokenizerException.class, () -> Tokenizer.read(folder));
    String expected =
        folder + ": there is no tokenizer; needed: one of tokenizer.json, tokenizer.model";
    assertTrue(refusal.getMessage().startsWith(expected), refusal.getMessage());
  }

  @Test
  void readsTheConfigsTokensByNameOrRefuses() {
    byte[] file = TinyFile.letters("ab").bytes();
    assertEquals(
        1, read(file, "{'eos_token': {'content': 'b', 'lstrip': false}}").end().getAsInt());
    assertEquals(0, read(file, "{'bos_token': 'a', 'eos_token': null}").beginning().getAsInt());
    var refusal = assertThrows(TokenizerException.class, () -> read(file, "{'bos_token': 'x'}"));
    assertEquals(
        "t.json, tokenizer_config.json: bos_token is \"x\"; needed: a token of the vocabulary",
        refusal.getMessage());
  }

  private static Tokenizer read(byte[] file, String config) {
    return Tokenizer.parse(
        "t.json", file, config.replace('\'', '"').getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void holesInTheVocabularyHaveNoToken() {
    byte[] file = model("{'a': 0, 'b': 5}").replace('\'', '"').getBytes(StandardCharsets.UTF_8);
    Tokenizer tokenizer = Tokenizer.parse("t.json", file, null);
    assertEquals(6, tokenizer.vocabularySize());
    assertEquals("a b", tokenizer.decode(new int[] {0, 3, 5}));
    var refusal = assertThrows(IllegalArgumentException.class, () -> tokenizer.token(3));
    assertEquals("no token has the id 3", refusal.getMessage());
  }
}
