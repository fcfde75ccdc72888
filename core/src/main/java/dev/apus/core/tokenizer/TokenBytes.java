package dev.apus.core.tokenizer;

import java.util.Arrays;

/**
 * What every token of a vocabulary writes, in bytes, and tries of them. A token may write part of a
 * character. Special tokens, and those that do not exist, write nothing. Immutable.
 *
 * <p>The first token of a text may write something else than it does later, where a vocabulary
 * marks the beginnings of words: a space goes.
 */
public final class TokenBytes {

  private final byte[][] later;
  private final byte[][] first;
  private final TokenTrie laterTrie;
  private final TokenTrie firstTrie;

  private TokenBytes(byte[][] later, byte[][] first) {
    this.later = later;
    this.first = first;
    this.laterTrie = TokenTrie.of(later);
    this.firstTrie = later == first ? laterTrie : TokenTrie.of(first);
  }

  /** Asks a tokenizer for all of its tokens. */
  public static TokenBytes of(Tokenizer tokenizer) {
    byte[][] later = new byte[tokenizer.vocabularySize()][];
    byte[][] first = new byte[tokenizer.vocabularySize()][];
    boolean same = true;
    for (int id = 0; id < later.length; id++) {
      later[id] = tokenizer.bytes(id, false);
      first[id] = tokenizer.bytes(id, true);
      if (Arrays.equals(first[id], later[id])) {
        first[id] = later[id];
      } else {
        same = false;
      }
    }
    return new TokenBytes(later, same ? later : first);
  }

  /** How many ids there are. */
  public int size() {
    return later.length;
  }

  /**
   * What a token writes; not to be changed.
   *
   * @param atBeginning whether it is the first of its text
   */
  public byte[] of(int id, boolean atBeginning) {
    return atBeginning ? first[id] : later[id];
  }

  /**
   * All tokens that write something.
   *
   * @param atBeginning as the first of their text
   */
  public TokenTrie trie(boolean atBeginning) {
    return atBeginning ? firstTrie : laterTrie;
  }
}
