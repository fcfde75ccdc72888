package dev.apus.core.tokenizer;

import static org.junit.jupiter.api.Assertions.assertFalse;

import com.fasterxml.jackson.databind.JsonNode;
import com.fasterxml.jackson.databind.ObjectMapper;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.util.Objects;

/** The tokenizer of the Fable models, and what the reference library made of some texts with it. */
final class Recorded {

  private Recorded() {}

  static Tokenizer fable() {
    return Tokenizer.parse(
        "fable", bytes("/fable/tokenizer.json"), bytes("/fable/tokenizer_config.json"));
  }

  static JsonNode answers(String kind) throws IOException {
    return new ObjectMapper().readTree(bytes("/fable/recorded.json")).get(kind);
  }

  static byte[] bytes(String resource) {
    try (InputStream in = Recorded.class.getResourceAsStream(resource)) {
      return Objects.requireNonNull(in, resource).readAllBytes();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  static int[] ids(JsonNode node) {
    int[] ids = new int[node.size()];
    for (int i = 0; i < ids.length; i++) {
      ids[i] = node.get(i).intValue();
    }
    return ids;
  }

  /** What a stream's parts make together; no part may end in half a character. */
  static String streamed(Tokenizer tokenizer, int[] ids) {
    TextDecoder decoder = tokenizer.newDecoder();
    StringBuilder text = new StringBuilder();
    for (int id : ids) {
      String part = decoder.append(id);
      assertFalse(
          !part.isEmpty() && Character.isHighSurrogate(part.charAt(part.length() - 1)),
          "half a character");
      text.append(part);
    }
    return text.append(decoder.flush()).toString();
  }
}
