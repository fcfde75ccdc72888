package dev.apus.core.tokenizer;

import dev.apus.core.file.GgufWriter;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/**
 * The vocabulary of a checkpoint in the words of the other layout: a folder's files as the metadata
 * of a GGUF file, and the other way round. Either is read again and tried on texts before anything
 * is written.
 */
public final class VocabularyConversion {

  private static final String PREFIX = GgufVocabulary.PREFIX;

  /** Texts that vocabularies cut in different ways. */
  private static final List<String> PROBES =
      List.of(
          "Once upon a time, there were 1234567 swifts.",
          "  don't WE'LL\t\tcaf\u00e9 cafe\u0301 na\u00efve\n\n\n"
              + " x=[1,2];  // \u4f60\u597d \u0441\u0432\u0438\u0444\u0442",
          "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35 \ud83d\ude80\ud83c\udffd 3.14159e-10 <|x|> ''s 'S",
          " ",
          "a",
          "\uff21\ufb01 \u00bd\u2026   end   ");

  private VocabularyConversion() {}

  /**
   * Writes a folder's vocabulary into a file. Without a tokenizer the file says that it has none.
   *
   * @param name for messages
   * @param files the bytes of the folder's files, or null
   * @param size of the model's vocabulary, which may be larger
   * @param ends the tokens that end a text, of which files name two
   * @throws TokenizerException if files of this format have no word for it
   */
  public static void write(
      GgufWriter file, String name, Function<String, byte[]> files, int size, List<Integer> ends) {
    Tokenizer tokenizer = Tokenizer.read(name, files).orElse(null);
    Map<String, Object> said =
        tokenizer == null
            ? new LinkedHashMap<>(Map.of(PREFIX + "model", "none"))
            : new VocabularyMetadata(name, tokenizer, size).of(files);
    for (int end : ends) {
      said.putIfAbsent(PREFIX + "eos_token_id", (long) end);
      if (!said.get(PREFIX + "eos_token_id").equals((long) end)) {
        said.putIfAbsent(PREFIX + "eot_token_id", (long) end);
      }
    }
    if (tokenizer != null) {
      String different = different(tokenizer, Tokenizer.ofGguf(name, said));
      if (different != null) {
        throw unsaid(name, "a GGUF file with it would cut \"" + different + "\" otherwise");
      }
    }
    said.forEach((key, value) -> put(file, key, value));
  }

  /** A text that two tokenizers cut in different ways, or null. */
  private static String different(Tokenizer one, Tokenizer other) {
    for (String probe : PROBES) {
      for (boolean begins : new boolean[] {true, false}) {
        if (!Arrays.equals(one.encode(probe, begins, true), other.encode(probe, begins, true))) {
          return probe;
        }
      }
    }
    return null;
  }

  /** The model itself may have said of its mask what its vocabulary says. */
  @SuppressWarnings("unchecked")
  private static void put(GgufWriter file, String key, Object value) {
    if (file.has(key)) {
      return;
    }
    switch (value) {
      case String text -> file.text(key, text);
      case Boolean flag -> file.flag(key, flag);
      case Long number -> file.u32(key, number);
      case int[] numbers -> file.i32s(key, numbers);
      case float[] numbers -> file.f32s(key, numbers);
      case byte[] bytes -> file.u8s(key, bytes);
      default -> file.texts(key, (List<String>) value);
    }
  }

  /**
   * Writes the vocabulary and chat template of a file into a folder, if it has a vocabulary.
   *
   * @throws TokenizerException if it has one that no file of a folder can say
   */
  public static void writeFolder(String name, Map<String, Object> metadata, Path to)
      throws IOException {
    if (metadata.get(PREFIX + "model") == null || "none".equals(metadata.get(PREFIX + "model"))) {
      return;
    }
    Tokenizer expected = Tokenizer.ofGguf(name, metadata);
    Map<String, byte[]> files = new VocabularyFolder(name, metadata).files();
    String different = different(expected, Tokenizer.read(to.toString(), files::get).orElseThrow());
    if (different != null) {
      throw new TokenizerException(
          name + ": a folder with its vocabulary would cut \"" + different + "\" otherwise");
    }
    for (Map.Entry<String, byte[]> file : files.entrySet()) {
      Files.write(to.resolve(file.getKey()), file.getValue());
    }
  }

  static TokenizerException unsaid(String name, String why) {
    return new TokenizerException(
        name + ": the vocabulary has no word in GGUF that Apus knows: " + why);
  }
}
