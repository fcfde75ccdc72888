package dev.apus.core.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * GPT-2's spelling of bytes as visible characters: printable Latin-1 stands for itself, and the
 * other bytes for the characters from U+0100 on, in order.
 */
final class ByteAlphabet {

  private static final int CHARACTERS = 0x144;
  private static final char[] CHARACTER = new char[256];
  private static final short[] BYTE = new short[CHARACTERS];

  static {
    Arrays.fill(BYTE, (short) -1);
    int moved = 0;
    for (int b = 0; b < CHARACTER.length; b++) {
      boolean visible = (b > ' ' && b < 0x7F) || (b > 0xA0 && b != 0xAD);
      CHARACTER[b] = (char) (visible ? b : 0x100 + moved++);
      BYTE[CHARACTER[b]] = (short) b;
    }
  }

  private ByteAlphabet() {}

  /** The UTF-8 bytes of a text, each as its character. */
  static String spell(String text) {
    return spell(text.getBytes(StandardCharsets.UTF_8));
  }

  /** Bytes, each as its character. */
  static String spell(byte[] bytes) {
    char[] spelled = new char[bytes.length];
    for (int i = 0; i < bytes.length; i++) {
      spelled[i] = CHARACTER[bytes[i] & 0xFF];
    }
    return new String(spelled);
  }

  /** A byte as its character. */
  static String spell(byte value) {
    return String.valueOf(CHARACTER[value & 0xFF]);
  }

  /** The bytes that a token spells, or its UTF-8 bytes if it has a character that spells none. */
  static byte[] bytes(String token) {
    byte[] bytes = new byte[token.length()];
    for (int i = 0; i < bytes.length; i++) {
      char c = token.charAt(i);
      if (c >= CHARACTERS || BYTE[c] < 0) {
        return token.getBytes(StandardCharsets.UTF_8);
      }
      bytes[i] = (byte) BYTE[c];
    }
    return bytes;
  }
}
