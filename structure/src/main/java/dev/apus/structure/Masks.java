package dev.apus.structure;

import dev.apus.core.tokenizer.TokenTrie;
import java.util.LinkedHashMap;
import java.util.Map;

/**
 * Which tokens may come next, by the state of a text: found by walking the trie of all tokens along
 * the automaton, and kept for the states that were asked for last.
 */
final class Masks {

  /** For a vocabulary of 150 000 tokens these are 19 MB. */
  private static final int MOST_MASKS = 1024;

  private final Automaton automaton;
  private final Words words;
  private final Map<Integer, byte[]> symbols;
  private final Map<State, long[]> known = new Recent();
  private final State[] way;

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
   * @param symbols what special tokens write in the grammar, by id
   */
  Masks(Automaton automaton, Words words, Map<Integer, byte[]> symbols) {
    this.automaton = automaton;
    this.words = words;
    this.symbols = symbols;
    this.way = new State[words.all.deepest() + 1];
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
      boolean free = state.freeLeft >= words.longestPlain;
      mask = free ? words.plain.clone() : new long[words.plain.length];
      walk(state, free ? words.rest : words.all, mask);
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
