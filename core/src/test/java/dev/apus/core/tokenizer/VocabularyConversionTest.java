package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import dev.apus.core.SharedFolder;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.GgufWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A vocabulary cuts texts the same way in both layouts, there and back and there again. */
class VocabularyConversionTest {

  private static final int SIZE = 1300;

  private static final String WORD_PIECES =
      """
      {"version": "1.0", "truncation": null, "padding": null,
       "added_tokens": [
         {"id": 0, "content": "[UNK]", "special": true, "normalized": false, "lstrip": false,
          "rstrip": false, "single_word": false},
         {"id": 1, "content": "[CLS]", "special": true, "normalized": false, "lstrip": false,
          "rstrip": false, "single_word": false},
         {"id": 2, "content": "[SEP]", "special": true, "normalized": false, "lstrip": false,
          "rstrip": false, "single_word": false}],
       "normalizer": {"type": "BertNormalizer", "clean_text": true, "handle_chinese_chars": true,
         "strip_accents": null, "lowercase": true},
       "pre_tokenizer": {"type": "BertPreTokenizer"},
       "post_processor": {"type": "TemplateProcessing",
         "single": [{"SpecialToken": {"id": "[CLS]", "type_id": 0}},
           {"Sequence": {"id": "A", "type_id": 0}},
           {"SpecialToken": {"id": "[SEP]", "type_id": 0}}],
         "pair": [{"Sequence": {"id": "A", "type_id": 0}}],
         "special_tokens": {"[CLS]": {"id": "[CLS]", "ids": [1], "tokens": ["[CLS]"]},
           "[SEP]": {"id": "[SEP]", "ids": [2], "tokens": ["[SEP]"]}}},
       "decoder": {"type": "WordPiece", "prefix": "##", "cleanup": true},
       "model": {"type": "WordPiece", "unk_token": "[UNK]", "continuing_subword_prefix": "##",
         "max_input_chars_per_word": 100,
         "vocab": {"[UNK]": 0, "[CLS]": 1, "[SEP]": 2, "the": 3, "swift": 4, "##s": 5, "a": 6,
           "cafe": 7, ".": 8, "##e": 9}}}
      """;

  @TempDir private Path temporary;

  private static Map<String, Object> written(String name, Function<String, byte[]> files) {
    GgufWriter writer = new GgufWriter();
    VocabularyConversion.write(writer, name, files, SIZE, List.of());
    return Gguf.of(name, MemorySegment.ofArray(writer.toBytes())).metadata();
  }

  private static Function<String, byte[]> in(Path folder) {
    return file -> {
      try {
        return Files.exists(folder.resolve(file)) ? Files.readAllBytes(folder.resolve(file)) : null;
      } catch (IOException e) {
        throw new UncheckedIOException(e);
      }
    };
  }

  private void assertThereAndBack(
      String name, String model, Function<String, byte[]> files, List<String> texts)
      throws IOException {
    Tokenizer expected = Tokenizer.read(name, files).orElseThrow();
    Map<String, Object> there = written(name, files);
    assertEquals(model, there.get("tokenizer.ggml.model"));
    Path folder = Files.createDirectories(temporary.resolve(name));
    VocabularyConversion.writeFolder(name, there, folder);
    Tokenizer found = Tokenizer.ofGguf(name, there);
    Tokenizer back = Tokenizer.read(folder);
    assertTrue(texts.size() >= 70, "texts: " + texts.size());
    for (String text : texts) {
      int[] ids = expected.encode(text);
      assertArrayEquals(ids, found.encode(text), text);
      assertArrayEquals(ids, back.encode(text), text);
      assertArrayEquals(expected.encode(text, false, false), back.encode(text, false, false), text);
    }
    assertSameTokens(expected, found);
    assertSameTokens(expected, back);
    Map<String, Object> again = written(name, in(folder));
    there.forEach((key, value) -> assertTrue(equal(value, again.get(key)), key));
  }

  private static void assertSameTokens(Tokenizer expected, Tokenizer found) {
    assertEquals(expected.vocabularySize(), found.vocabularySize());
    for (int id = 0; id < expected.vocabularySize(); id++) {
      assertEquals(expected.isUsed(id), found.isUsed(id), "token " + id);
    }
  }

  private static boolean equal(Object one, Object other) {
    return Arrays.deepEquals(new Object[] {one}, new Object[] {other});
  }

  private static List<String> texts(JsonNode cases) {
    List<String> texts = new ArrayList<>();
    cases.get("cases").forEach(row -> texts.add(row.get("text").textValue()));
    return texts;
  }

  @ParameterizedTest
  @CsvSource({"sentencepiece-bpe, llama", "sentencepiece-unigram, t5", "rwkv, rwkv"})
  void everyKindComesBack(String kind, String model) throws IOException {
    assertThereAndBack(
        kind, model, file -> Kinds.bytes(kind + "/" + file), texts(Kinds.cases(kind)));
  }

  @Test
  void wordPiecesComeBack() throws IOException {
    assertThereAndBack(
        "words",
        "bert",
        file -> file.equals("tokenizer.json") ? WORD_PIECES.getBytes(StandardCharsets.UTF_8) : null,
        texts(Kinds.cases("sentencepiece-bpe")));
  }

  @ParameterizedTest
  @CsvSource({
    "gpt2_regex, gpt2",
    "gpt4o, gpt2",
    "llama2, llama",
    "llama3, gpt2",
    "qwen2, gpt2",
    "qwen3_5, gpt2",
    "wordpiece, bert"
  })
  void whatTheReferenceReadsComesBack(String kind, String model) throws IOException {
    Path folder = SharedFolder.require("goldens/tokenizers/" + kind);
    JsonNode cases = new ObjectMapper().readTree(folder.resolve("expected.json").toFile());
    assertThereAndBack(kind, model, in(folder), texts(cases));
  }

  /** A Metaspace puts no space before a text that begins with one; SentencePiece does. */
  @Test
  void whatCutsOtherwiseIsRefused() {
    Path folder = SharedFolder.require("goldens/tokenizers/mistral_metaspace");
    var error =
        assertThrows(TokenizerException.class, () -> written("mistral_metaspace", in(folder)));
    assertTrue(error.getMessage().contains("would cut \"  don't"), error.getMessage());
  }

  @ParameterizedTest
  @CsvSource({
    "tiktoken-glm, 'it is tokenizer.model; of byte pairs, a tokenizer.json can be written'",
    "json-words, its model is WordLevel",
    "json-suffix, its pre_tokenizer",
    "json-prefix, its pre_tokenizer is"
  })
  void whatHasNoWordIsRefused(String kind, String why) {
    var error =
        assertThrows(
            TokenizerException.class, () -> written(kind, file -> Kinds.bytes(kind + "/" + file)));
    assertTrue(error.getMessage().contains(why), error.getMessage());
  }
}
