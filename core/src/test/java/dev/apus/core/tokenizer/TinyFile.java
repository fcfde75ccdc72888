package dev.apus.core.tokenizer;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import com.fasterxml.jackson.databind.node.ArrayNode;
import com.fasterxml.jackson.databind.node.ObjectNode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.List;

/** A handmade {@code tokenizer.json}: byte-pair encoding over a few tokens, ids in their order. */
final class TinyFile {

  private static final ObjectMapper MAPPER = new ObjectMapper();

  private final ObjectNode root = MAPPER.createObjectNode();
  private final ObjectNode model = root.putObject("model").put("type", "BPE");
  private final ObjectNode vocabulary = model.putObject("vocab");

  private TinyFile() {}

  static TinyFile of(List<String> tokens) {
    TinyFile file = new TinyFile();
    tokens.forEach(token -> file.vocabulary.put(token, file.vocabulary.size()));
    file.model.putArray("merges");
    return file.set("decoder", "{'type': 'ByteLevel'}");
  }

  /** One token for every character of {@code letters}. */
  static TinyFile letters(String letters) {
    return of(letters.codePoints().mapToObj(Character::toString).toList());
  }

  TinyFile merges(String... merges) {
    ArrayNode array = model.putArray("merges");
    for (String merge : merges) {
      array.add(merge);
    }
    return this;
  }

  /** Adds a token after those there are, with more of its keys as JSON in single quotes. */
  TinyFile added(String content, String keys) {
    ObjectNode token = MAPPER.createObjectNode();
    int number = root.withArrayProperty("added_tokens").size();
    token.put("id", vocabulary.path(content).asInt(vocabulary.size() + number));
    token.put("content", content).put("normalized", false);
    token.setAll((ObjectNode) json("{" + keys + "}"));
    root.withArrayProperty("added_tokens").add(token);
    return this;
  }

  TinyFile special(String content) {
    return added(content, "'special': true");
  }

  /** Sets a section, or a key of the model, to JSON in single quotes. */
  TinyFile set(String key, String value) {
    if (key.startsWith("model.")) {
      model.set(key.substring("model.".length()), json(value));
    } else {
      root.set(key, json(value));
    }
    return this;
  }

  byte[] bytes() {
    return root.toString().getBytes(StandardCharsets.UTF_8);
  }

  Tokenizer read() {
    return Tokenizer.parse("tiny.json", bytes(), null);
  }

  private static JsonNode json(String value) {
    try {
      return MAPPER.readTree(value.replace('\'', '"'));
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }
}
