package dev.apus.structure;

import dev.apus.core.tokenizer.TokenBytes;
import java.util.Set;

/**
 * What is known of a vocabulary before any grammar is, and kept with its tokens: a new structure
 * need not find it out again.
 *
 * @param letters the characters that can be written by themselves
 * @param ends tokens that end a text, as bits
 * @param first tokens as the first of a text
 * @param later tokens after others
 */
record Lexicon(CodePoints letters, long[] ends, Words first, Words later) {

  private record Ends(Set<Integer> ends) implements TokenBytes.Key<Lexicon> {}

  static Lexicon of(TokenBytes tokens, Set<Integer> ends) {
    return tokens.once(new Ends(Set.copyOf(ends)), () -> make(tokens, ends));
  }

  private static Lexicon make(TokenBytes tokens, Set<Integer> ends) {
    long[] bits = new long[(tokens.size() + 63) / 64];
    for (int end : ends) {
      Masks.set(bits, end);
    }
    Words later = new Words(tokens, false, bits);
    boolean same = tokens.trie(true) == tokens.trie(false);
    Words first = same ? later : new Words(tokens, true, bits);
    return new Lexicon(Letters.of(tokens, ends), bits, first, later);
  }
}
