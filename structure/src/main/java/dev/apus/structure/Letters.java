package dev.apus.structure;

import dev.apus.core.tokenizer.TokenBytes;
import java.nio.ByteBuffer;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Set;

/** Finds which characters a vocabulary can write by themselves, wherever they are in a text. */
final class Letters {

  private Letters() {}

  static CodePoints of(TokenBytes tokens, Set<Integer> ends) {
    boolean[] bytes = new boolean[256];
    BitSet whole = new BitSet();
    for (int token = 0; token < tokens.size(); token++) {
      byte[] text = tokens.of(token, false);
      byte[] first = tokens.of(token, true);
      if (ends.contains(token) || text.length == 0 || text.length > 4) {
        continue;
      }
      if (text != first && !Arrays.equals(text, first)) {
        continue;
      }
      if (text.length == 1) {
        bytes[text[0] & 0xFF] = true;
      }
      int character = character(text);
      if (character >= 0) {
        whole.set(character);
      }
    }
    boolean all = true;
    for (int b = 0; b < 256; b++) {
      // Bytes that UTF-8 never uses are no loss.
      all &= bytes[b] || b == 0xC0 || b == 0xC1 || b > 0xF4;
    }
    return all ? CodePoints.ALL : CodePoints.where(c -> whole.get(c) || isSpelled(c, bytes));
  }

  private static int character(byte[] text) {
    try {
      String read = StandardCharsets.UTF_8.newDecoder().decode(ByteBuffer.wrap(text)).toString();
      return read.codePointCount(0, read.length()) == 1 ? read.codePointAt(0) : -1;
    } catch (CharacterCodingException e) {
      return -1;
    }
  }

  private static boolean isSpelled(int c, boolean[] bytes) {
    if (c >= Character.MIN_SURROGATE && c <= Character.MAX_SURROGATE) {
      return false;
    }
    for (byte b : Character.toString(c).getBytes(StandardCharsets.UTF_8)) {
      if (!bytes[b & 0xFF]) {
        return false;
      }
    }
    return true;
  }
}
