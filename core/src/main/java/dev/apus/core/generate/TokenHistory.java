package dev.apus.core.generate;

import java.nio.IntBuffer;
import java.util.Arrays;

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

  IntBuffer view() {
    return IntBuffer.wrap(tokens, 0, length).slice().asReadOnlyBuffer();
  }
}
