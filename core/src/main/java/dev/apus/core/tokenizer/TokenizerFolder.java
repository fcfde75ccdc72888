package dev.apus.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** Reads the tokenizer of a checkpoint's folder. */
final class TokenizerFolder {

  private static final String CONFIG = "tokenizer_config.json";

  private TokenizerFolder() {}

  static Tokenizer read(Path folder) {
    Path file = folder.resolve("tokenizer.json");
    Path config = folder.resolve(CONFIG);
    byte[] json = bytes(file);
    return Files.exists(config)
        ? parse(file.toString(), json, config.toString(), bytes(config))
        : parse(file.toString(), json, null);
  }

  private static byte[] bytes(Path file) {
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

  static Tokenizer parse(String name, byte[] tokenizerJson, byte[] configJson) {
    return parse(name, tokenizerJson, name + ", " + CONFIG, configJson);
  }

  private static Tokenizer parse(
      String name, byte[] tokenizerJson, String configName, byte[] configJson) {
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
    Section config = configJson == null ? null : TokenizerFile.parseSection(configName, configJson);
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
            named(config, "bos_token", vocabulary),
            named(config, "eos_token", vocabulary),
            config == null || !config.has("mask_token")
                ? Vocabulary.NONE
                : vocabulary.id(spelling(config, "mask_token"))));
  }

  /** A token's id by its key in the config, where it is a string or an object with the string. */
  private static int named(Section config, String key, Vocabulary vocabulary) {
    if (config == null || !config.has(key)) {
      return Vocabulary.NONE;
    }
    int id = vocabulary.id(spelling(config, key));
    if (id == Vocabulary.NONE) {
      throw config.wrong(key, "a token of the vocabulary");
    }
    return id;
  }

  private static String spelling(Section config, String key) {
    JsonNode value = config.node().get(key);
    return value.isObject() ? config.child(key).text("content") : config.text(key);
  }
}
