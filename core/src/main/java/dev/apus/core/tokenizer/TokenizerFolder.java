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

  /** The file that a folder's vocabulary is read from. */
  record Found(String file, byte[] bytes) {

    /**
     * The bytes of a {@code tokenizer.json}, or of one that says what an older file says; null for
     * files of other kinds.
     */
    byte[] json(String folder, Function<String, byte[]> files) {
      return switch (file) {
        case JSON -> bytes;
        case OlderVocabulary.BYTE_PAIRS, OlderVocabulary.WORD_PIECES ->
            OlderVocabulary.json(folder, this, files);
        default -> null;
      };
    }
  }

  /** Reads the first of the known files that there is; null if there is none. */
  static Tokenizer read(String folder, Function<String, byte[]> files) {
    Found found = vocabulary(files);
    return found == null ? null : read(folder, found, files);
  }

  /** The first of the known files that there is, or null. */
  static Found vocabulary(Function<String, byte[]> files) {
    for (String file : VOCABULARIES) {
      byte[] bytes = files.apply(file);
      if (bytes != null) {
        return new Found(file, bytes);
      }
    }
    return null;
  }

  /** What the files beside a vocabulary say of its tokens. */
  static TokenizerConfig settings(String folder, Function<String, byte[]> files) {
    return new TokenizerConfig(
        section(folder, TokenizerConfig.FILE, files),
        section(folder, TokenizerConfig.ADDED, files),
        section(folder, TokenizerConfig.SPECIAL, files));
  }

  private static Tokenizer read(String folder, Found found, Function<String, byte[]> files) {
    String name = folder + "/" + found.file;
    byte[] json = found.json(folder, files);
    if (json != null) {
      Section config = section(folder, TokenizerConfig.FILE, files);
      return json(name, json, new TokenizerConfig(config, null, null));
    }
    if (found.file.equals(RWKV)) {
      return RwkvFile.parse(name, found.bytes);
    }
    TokenizerConfig settings = settings(folder, files);
    return TiktokenFile.isOne(found.bytes)
        ? TiktokenFile.parse(name, found.bytes, settings)
        : SentencePieceFolder.tokenizer(SentencePieceFile.parse(name, found.bytes), settings);
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
