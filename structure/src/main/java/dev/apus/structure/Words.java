package dev.apus.structure;

import dev.apus.core.tokenizer.TokenBytes;
import dev.apus.core.tokenizer.TokenTrie;

/**
 * The tokens of a vocabulary in tries. Those of nothing but plain characters of strings are most of
 * them; where any string may go on freely they need no walk.
 */
final class Words {

  /** All tokens that write something and do not end a text. */
  final TokenTrie all;

  /** Those of them that are not plain. */
  final TokenTrie rest;

  /** Plain tokens, as bits. */
  final long[] plain;

  /** How many bytes the longest plain token has. */
  final int longestPlain;

  /**
   * @param first whether the tokens are the first of a text
   * @param ends tokens that end a text, which are never a part of it
   */
  Words(TokenBytes tokens, boolean first, long[] ends) {
    this.all = withoutEnds(tokens, first, ends);
    this.plain = new long[(tokens.size() + 63) / 64];
    Node character = JsonText.CHARACTER;
    Automaton characters = new Automaton(Nodes.repeat(character, 0, Node.UNBOUNDED), null);
    int longest = 0;
    for (int token = 0; token < tokens.size(); token++) {
      byte[] bytes = tokens.of(token, first);
      if (bytes.length > 0 && !Masks.has(ends, token) && isPlain(bytes, characters)) {
        Masks.set(plain, token);
        longest = Math.max(longest, bytes.length);
      }
    }
    this.longestPlain = longest;
    this.rest = all.only(token -> !Masks.has(plain, token));
  }

  private static TokenTrie withoutEnds(TokenBytes tokens, boolean first, long[] ends) {
    for (int token = 0; token < tokens.size(); token++) {
      if (Masks.has(ends, token) && tokens.of(token, first).length > 0) {
        return tokens.trie(first).only(each -> !Masks.has(ends, each));
      }
    }
    return tokens.trie(first);
  }

  private static boolean isPlain(byte[] bytes, Automaton characters) {
    State state = characters.start();
    for (byte b : bytes) {
      if (b == '\\') {
        return false;
      }
      state = characters.after(state, b & 0xFF);
    }
    return state.complete;
  }
}
