package dev.apus.core.tokenizer;

import java.nio.charset.StandardCharsets;

/** The tokens of single bytes in a byte-level vocabulary. */
final class TinyBytes {

  private TinyBytes() {}

  static int[] ids(Tokenizer tokenizer, String text) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    int[] ids = new int[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      ids[i] = id(tokenizer, bytes[i]);
    }
    return ids;
  }

  private static int id(Tokenizer tokenizer, byte wanted) {
    for (int id = 0; id < tokenizer.vocabularySize(); id++) {
      byte[] spelled = ByteAlphabet.bytes(tokenizer.token(id));
      if (spelled.length == 1 && spelled[0] == wanted) {
        return id;
      }
    }
    throw new AssertionError("no token for the byte " + wanted);
  }
}
