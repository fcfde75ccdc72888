package dev.apus.structure;

import dev.apus.core.tokenizer.TokenBytes;
import dev.apus.core.tokenizer.TokenTrie;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which tokens may come next, by the state of a text: found by walking the trie of all tokens along
 * the automaton, and kept for the states that were asked for last.
 *
 * <p>Tokens of nothing but plain characters of strings are most of a vocabulary. Where any string
 * may go on freely they are known without a walk.
 */
final class Masks {

  /** For a vocabulary of 150 000 tokens these are 19 MB. */
  private static final int MOST_MASKS = 1024;

  private final Automaton automaton;
  private final TokenTrie trie;
  private final TokenTrie rest;
  private final long[] plain;
  private final int longestPlain;
  private final Map<State, long[]> known = new Recent();
  private final State[] way;
  private final Map<Integer, byte[]> symbols;

  /** Forgets what was not asked for the longest. */
  private static final class Recent extends LinkedHashMap<State, long[]> {

    private static final long serialVersionUID = 1;

    Recent() {
      super(64, 0.75f, true);
    }

    @Override
    protected boolean removeEldestEntry(Map.Entry<State, long[]> eldest) {
      return size() > MOST_MASKS;
    }
  }

  /**
   * @param first whether the tokens are the first of a text
   * @param free the character of which free strings are made
   * @param ends tokens that end a text, which are never a part of it
   * @param symbols what special tokens write in the grammar, by id
   */
  Masks(
      Automaton automaton,
      TokenBytes tokens,
      boolean first,
      Node free,
      long[] ends,
      Map<Integer, byte[]> symbols) {
    this.automaton = automaton;
    this.symbols = symbols;
    this.trie = withoutEnds(tokens, first, ends);
    this.plain = new long[(tokens.size() + 63) / 64];
    Automaton characters = new Automaton(Nodes.repeat(free, 0, Node.UNBOUNDED), null);
    int longest = 0;
    for (int token = 0; token < tokens.size(); token++) {
      byte[] bytes = tokens.of(token, first);
      if (bytes.length > 0 && !has(ends, token) && isPlain(bytes, characters)) {
        set(plain, token);
        longest = Math.max(longest, bytes.length);
      }
    }
    this.longestPlain = longest;
    this.rest = trie.only(token -> !has(plain, token));
    this.way = new State[trie.deepest() + 1];
  }

  private static TokenTrie withoutEnds(TokenBytes tokens, boolean first, long[] ends) {
    for (int token = 0; token < tokens.size(); token++) {
      if (has(ends, token) && tokens.of(token, first).length > 0) {
        return tokens.trie(first).only(each -> !has(ends, each));
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

  static boolean has(long[] set, int token) {
    return token >> 6 < set.length && (set[token >> 6] >>> token & 1) != 0;
  }

  static void set(long[] set, int token) {
    set[token >> 6] |= 1L << token;
  }

  /** The tokens that may follow, as bits; not to be changed. */
  long[] of(State state) {
    long[] mask = known.get(state);
    if (mask == null) {
      boolean free = state.freeLeft >= longestPlain;
      mask = free ? plain.clone() : new long[plain.length];
      walk(state, free ? rest : trie, mask);
      for (Map.Entry<Integer, byte[]> symbol : symbols.entrySet()) {
        walk(state, symbol.getKey(), symbol.getValue(), mask);
      }
      known.put(state, mask);
    }
    return mask;
  }

  /** A special token, whose bytes no other token may write. */
  private void walk(State from, int token, byte[] bytes, long[] mask) {
    State state = from;
    for (byte b : bytes) {
      state = automaton.after(state, b & 0xFF);
    }
    if (!state.isDead()) {
      set(mask, token);
    }
  }

  private void walk(State from, TokenTrie through, long[] mask) {
    way[0] = from;
    int nodes = through.size();
    for (int node = 0; node < nodes; ) {
      int depth = through.depth(node);
      int b = through.value(node);
      State next = b < Alphabet.SYMBOLS ? automaton.after(way[depth], b) : null;
      if (next == null || next.isDead()) {
        node = through.end(node);
        continue;
      }
      way[depth + 1] = next;
      int end = through.firstToken(node + 1);
      for (int place = through.firstToken(node); place < end; place++) {
        set(mask, through.token(place));
      }
      node++;
    }
  }
}
