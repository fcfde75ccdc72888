package dev.apus.core.tokenizer;

import java.nio.charset.StandardCharsets;
import java.util.Locale;
import java.util.Map;

/** The tokens {@code <0x00>} to {@code <0xFF>}, which spell what a vocabulary lacks. */
final class ByteTokens {

  private static final int LENGTH = "<0x00>".length();

  private final int[] ids = new int[256];

  ByteTokens(Map<String, Integer> vocabulary) {
    for (int b = 0; b < ids.length; b++) {
      ids[b] = vocabulary.getOrDefault(String.format(Locale.ROOT, "<0x%02X>", b), Vocabulary.NONE);
    }
  }

  /** Adds the tokens of all bytes of a text, or returns false if one of them has none. */
  boolean add(String text, Ids out) {
    byte[] bytes = text.getBytes(StandardCharsets.UTF_8);
    for (byte b : bytes) {
      if (ids[b & 0xFF] == Vocabulary.NONE) {
        return false;
      }
    }
    for (byte b : bytes) {
      out.add(ids[b & 0xFF]);
    }
    return true;
  }

  /** The byte that a token stands for, or -1. */
  static int value(String token) {
    if (token.length() != LENGTH || !token.startsWith("<0x") || !token.endsWith(">")) {
      return -1;
    }
    int high = Character.digit(token.charAt(3), 16);
    int low = Character.digit(token.charAt(4), 16);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
  }
}
