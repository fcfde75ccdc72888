package dev.apus.core.generate;

import java.nio.IntBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Set;

/** The prompt of a generation and the tokens chosen since. */
final class TokenHistory {

  private final int promptTokens;
  private int[] tokens;
  private int length;

  TokenHistory(int[] prompt) {
    promptTokens = prompt.length;
    tokens = prompt.clone();
    length = prompt.length;
  }

  void add(int token) {
    if (length == tokens.length) {
      tokens = Arrays.copyOf(tokens, Math.max(64, length + (length >> 1)));
    }
    tokens[length++] = token;
  }

  int length() {
    return length;
  }

  int token(int at) {
    return tokens[at];
  }

  boolean chosen(int at) {
    return at >= promptTokens;
  }

  /** Ids that somebody gave, as bits. */
  static BitSet ids(String name, Set<Integer> ids, int vocabulary) {
    BitSet bits = new BitSet();
    for (int id : ids) {
      if (id < 0 || id >= vocabulary) {
        throw new IllegalArgumentException(
            name + " holds " + id + "; the vocabulary has the ids 0 to " + (vocabulary - 1));
      }
      bits.set(id);
    }
    return bits;
  }

  IntBuffer view() {
    return IntBuffer.wrap(tokens, 0, length).slice().asReadOnlyBuffer();
  }
}
