package dev.apus.core.tokenizer;

import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.function.Function;

/** The bytes that tokens write, found by decoding each by itself. */
final class TokenSpelling {

  private final Decoding decoding;

  /** The bytes of a token that need not be whole characters, or null if it writes a text. */
  private final Function<String, byte[]> raw;

  TokenSpelling(Decoding decoding) {
    this.decoding = decoding;
    // "é" in two parts tells whether tokens spell bytes, and how.
    String byteLevel = ByteAlphabet.spell("é");
    if (joined(byteLevel.substring(0, 1), byteLevel.substring(1)).endsWith("é")) {
      this.raw = ByteAlphabet::bytes;
    } else if (joined("<0xC3>", "<0xA9>").endsWith("é")) {
      this.raw = TokenSpelling::fallback;
    } else {
      this.raw = _ -> null;
    }
  }

  private static byte[] fallback(String token) {
    int value = ByteTokens.value(token);
    return value < 0 ? null : new byte[] {(byte) value};
  }

  /**
   * The bytes of a token.
   *
   * @param first whether it is the first of a text
   */
  byte[] bytes(String token, boolean first) {
    byte[] bytes = raw.apply(token);
    if (bytes != null && !isText(bytes)) {
      return bytes;
    }
    // What comes before the token is known to be one character.
    String text = first ? joined(token) : joined("x", token);
    String own = first ? text : text.substring(Math.min(text.length(), joined("x").length()));
    return own.getBytes(StandardCharsets.UTF_8);
  }

  private String joined(String... tokens) {
    StringBuilder text = new StringBuilder();
    Decoding.Sink sink =
        decoding.before(
            new Decoding.Sink() {
              @Override
              public void token(String part) {
                text.append(part);
              }

              @Override
              public void end() {}
            });
    for (String token : tokens) {
      sink.token(token);
    }
    sink.end();
    return text.toString();
  }

  private static boolean isText(byte[] bytes) {
    try {
      StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(bytes));
      return true;
    } catch (CharacterCodingException e) {
      return false;
    }
  }
}
