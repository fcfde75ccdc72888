package dev.apus.core.tokenizer;

import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.function.Function;

/**
 * Text to token ids and back, exactly as the library that trained the vocabulary does it.
 *
 * <p>Tokenizers are immutable and may be shared between threads. A surrogate without its partner is
 * read as U+FFFD. The settings {@code truncation} and {@code padding} of a file are training
 * conveniences: nothing here cuts or pads.
 */
public interface Tokenizer {

  /**
   * Reads the tokenizer of a checkpoint's folder: {@code tokenizer.json}; if there is none, a model
   * of SentencePiece or a file of tiktoken; or else the vocabulary of RWKV. Where there are
   * several, the others are not looked at.
   *
   * @throws TokenizerException if a file is missing, broken, or asks for something unknown
   */
  static Tokenizer read(Path folder) {
    return TokenizerFolder.read(folder);
  }

  /**
   * Reads the tokenizer of a checkpoint whose files lie anywhere, as {@link #read(Path)} does.
   *
   * @param name what errors call the folder
   * @param files the bytes of a file, or null if there is no such file
   * @return the tokenizer, or empty if there is none of its files
   */
  static Optional<Tokenizer> read(String name, Function<String, byte[]> files) {
    return Optional.ofNullable(TokenizerFolder.read(name, files));
  }

  /**
   * Reads the bytes of a {@code tokenizer.json}.
   *
   * @param name what errors call the tokenizer, a file or a folder
   * @param tokenizerConfigJson the bytes of {@code tokenizer_config.json}, or null; only the names
   *     of the tokens that begin a text, end it and mask a part of it are taken from it
   * @throws TokenizerException if the bytes are broken, or ask for something unknown
   */
  static Tokenizer parse(String name, byte[] tokenizerJson, byte[] tokenizerConfigJson) {
    return TokenizerFolder.parse(name, tokenizerJson, tokenizerConfigJson);
  }

  /**
   * Makes a tokenizer of the {@code tokenizer.ggml.*} keys of a GGUF header.
   *
   * @param name what errors call the tokenizer, usually the file
   * @param metadata values as Java objects: arrays of strings as {@code List<String>}, arrays of
   *     numbers as {@code int[]}, {@code long[]} or a list of numbers
   * @throws TokenizerException if a key is missing or broken, or names a kind that is unknown
   */
  static Tokenizer ofGguf(String name, Map<String, ?> metadata) {
    return GgufTokenizer.of(name, metadata);
  }

  /**
   * Whether the vocabulary in a GGUF header is of a kind that {@link #ofGguf} reads; that it is
   * whole, this does not say.
   */
  static boolean knowsGguf(Map<String, ?> metadata) {
    return GgufTokenizer.knows(metadata);
  }

  /**
   * The ids of {@code text} with the tokens that the checkpoint puts around every text. The names
   * of special tokens inside {@code text} are plain text, so that no text can pose as a turn of a
   * chat.
   */
  default int[] encode(String text) {
    return encode(text, true, false);
  }

  /**
   * The ids of {@code text}.
   *
   * @param addSpecial whether to add the tokens that the checkpoint puts around every text
   * @param parseSpecial whether the name of a special token inside {@code text} becomes that token;
   *     only for text that no stranger wrote
   */
  int[] encode(String text, boolean addSpecial, boolean parseSpecial);

  /**
   * The text of {@code ids} without special tokens; bytes that make no character are U+FFFD.
   *
   * @throws IllegalArgumentException if an id is outside the vocabulary
   */
  default String decode(int[] ids) {
    return decode(ids, false);
  }

  /** The text of {@code ids}, with the names of special tokens if {@code keepSpecial}. */
  String decode(int[] ids, boolean keepSpecial);

  /** A decoder for one stream of tokens. */
  TextDecoder newDecoder();

  /** The bound of ids: every id is below this, though not every number below it need be an id. */
  int vocabularySize();

  /**
   * The token of {@code id} as the vocabulary spells it.
   *
   * @throws IllegalArgumentException if {@code id} is outside the vocabulary or names no token
   */
  String token(int id);

  /** The id of a token, spelled as the vocabulary spells it. */
  OptionalInt id(String token);

  /**
   * Whether a token steers the model and is no text.
   *
   * @throws IllegalArgumentException if {@code id} is outside the vocabulary
   */
  boolean isSpecial(int id);

  /**
   * Whether a text may get this id: it names a token, and none that the vocabulary calls unused.
   *
   * @throws IllegalArgumentException if {@code id} is outside the vocabulary
   */
  boolean isUsed(int id);

  /**
   * What a token writes, in bytes, which need not be whole characters. Special tokens, and ids
   * within the vocabulary that are not {@linkplain #isUsed used}, write nothing.
   *
   * @param first whether it is the first token of a text
   * @throws IllegalArgumentException if {@code id} is outside the vocabulary
   */
  byte[] bytes(int id, boolean first);

  /** The token that begins a text, if the checkpoint names one. */
  OptionalInt beginning();

  /** The token that ends a text, if the checkpoint names one. */
  OptionalInt end();

  /**
   * The token in whose place a masked language model expects others, if the checkpoint names one.
   */
  OptionalInt mask();
}
