package dev.apus.core.tokenizer;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/** Reads the tokenizer of a checkpoint's folder, in whatever file it is. */
final class TokenizerFolder {

  static final String JSON = "tokenizer.json";
  static final String RWKV = "rwkv_vocab_v20230424.txt";

  /** The files that hold a vocabulary, the one that is read first where there are several. */
  private static final List<String> VOCABULARIES =
      List.of(
          JSON,
          "tokenizer.model",
          "spiece.model",
          "sentencepiece.bpe.model",
          "tiktoken.model",
          "qwen.tiktoken",
          RWKV,
          OlderVocabulary.BYTE_PAIRS,
          OlderVocabulary.WORD_PIECES);

  private TokenizerFolder() {}

  static Tokenizer read(Path folder) {
    String name = folder.toString();
    Tokenizer tokenizer = read(name, file -> bytes(folder.resolve(file)));
    if (tokenizer == null) {
      throw new TokenizerException(
          name + ": there is no tokenizer; needed: one of " + String.join(", ", VOCABULARIES));
    }
    return tokenizer;
  }

  private static byte[] bytes(Path file) {
    if (!Files.exists(file)) {
      return null;
    }
    try {
      long size = Files.size(file);
      if (size > TokenizerFile.LARGEST_BYTES) {
        throw new TokenizerException(
            String.format(
                Locale.ROOT,
                "%s: %d bytes; at most %d are read",
                file,
                size,
                TokenizerFile.LARGEST_BYTES));
      }
      return Files.readAllBytes(file);
    } catch (IOException e) {
      throw new TokenizerException(file + ": cannot be read: " + e, e);
    }
  }

  /** Reads the first of the known files that there is; null if there is none. */
  static Tokenizer read(String folder, Function<String, byte[]> files) {
    String file = vocabulary(files);
    return file == null ? null : read(folder, file, files.apply(file), files);
  }

  /** The file that is read, or null if there is none. */
  static String vocabulary(Function<String, byte[]> files) {
    return VOCABULARIES.stream().filter(file -> files.apply(file) != null).findFirst().orElse(null);
  }

  /** Whether a file says what a {@code tokenizer.json} says. */
  static boolean isJson(String file) {
    return file.equals(JSON)
        || file.equals(OlderVocabulary.BYTE_PAIRS)
        || file.equals(OlderVocabulary.WORD_PIECES);
  }

  /** The bytes of a {@code tokenizer.json}, or of one that says what an older file says. */
  static byte[] json(String folder, String file, Function<String, byte[]> files) {
    return file.equals(JSON) ? files.apply(JSON) : OlderVocabulary.json(folder, file, files);
  }

  /** What the files beside a vocabulary say of its tokens. */
  static TokenizerConfig settings(String folder, Function<String, byte[]> files) {
    return new TokenizerConfig(
        section(folder, TokenizerConfig.FILE, files),
        section(folder, TokenizerConfig.ADDED, files),
        section(folder, TokenizerConfig.SPECIAL, files));
  }

  private static Tokenizer read(
      String folder, String file, byte[] bytes, Function<String, byte[]> files) {
    String name = folder + "/" + file;
    Section config = section(folder, TokenizerConfig.FILE, files);
    if (isJson(file)) {
      return json(name, json(folder, file, files), new TokenizerConfig(config, null, null));
    }
    if (file.equals(RWKV)) {
      return RwkvFile.parse(name, bytes);
    }
    TokenizerConfig settings = settings(folder, files);
    return TiktokenFile.isOne(bytes)
        ? TiktokenFile.parse(name, bytes, settings)
        : SentencePieceFolder.tokenizer(SentencePieceFile.parse(name, bytes), settings);
  }

  private static Section section(String folder, String file, Function<String, byte[]> files) {
    byte[] bytes = files.apply(file);
    return bytes == null ? null : TokenizerFile.parseSection(folder + "/" + file, bytes);
  }

  static Tokenizer parse(String name, byte[] tokenizerJson, byte[] configJson) {
    Section config =
        configJson == null
            ? null
            : TokenizerFile.parseSection(name + ", " + TokenizerConfig.FILE, configJson);
    return json(name, tokenizerJson, new TokenizerConfig(config, null, null));
  }

  private static Tokenizer json(String name, byte[] tokenizerJson, TokenizerConfig config) {
    TokenizerFile file = TokenizerFile.parse(name, tokenizerJson);
    Section root =
        file.root()
            .only(
                "version",
                "truncation",
                "padding",
                "added_tokens",
                "normalizer",
                "pre_tokenizer",
                "post_processor",
                "decoder");
    List<AddedToken> added =
        root.has("added_tokens") ? root.each("added_tokens", AddedToken::read) : List.of();
    Vocabulary vocabulary = Vocabulary.of(name, file.pieces(), added);
    return new ComposedTokenizer(
        new ComposedTokenizer.Parts(
            vocabulary,
            added,
            root.has("normalizer") ? TextNormalizer.read(root.child("normalizer")) : text -> text,
            root.has("pre_tokenizer")
                ? PreTokenizer.read(root.child("pre_tokenizer"))
                : (piece, pieces) -> pieces.add(piece),
            TokenModel.read(file, vocabulary),
            root.has("post_processor")
                ? Template.read(root.child("post_processor"), vocabulary)
                : Template.NONE,
            root.has("decoder") ? Decoding.read(root.child("decoder")) : Decoding.spaced(),
            config.named("bos_token", vocabulary),
            config.named("eos_token", vocabulary),
            config.mask(vocabulary)));
  }
}
