package dev.apus.structure;

import dev.apus.core.generate.Constraint;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.tokenizer.TokenBytes;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;

/** A structure made ready for a vocabulary: what all texts that follow it share. */
final class Grammar {

  private final TokenBytes tokens;
  private final Automaton automaton;
  private final Masks first;
  private final Masks later;
  private final long[] ends;
  private final Map<Integer, byte[]> symbols;

  /**
   * @param symbols what special tokens write in the grammar, by id
   */
  Grammar(Node root, TokenBytes tokens, Lexicon lexicon, Map<Integer, byte[]> symbols) {
    this.tokens = tokens;
    this.symbols = symbols;
    this.ends = lexicon.ends();
    this.automaton = new Automaton(root, JsonText.CHARACTER);
    this.later = new Masks(automaton, lexicon.later(), symbols);
    this.first =
        lexicon.first() == lexicon.later() ? later : new Masks(automaton, lexicon.first(), symbols);
  }

  Constraint.Follower start() {
    return new Text();
  }

  /** One text. The lock is the grammar's, for its states and masks are shared. */
  private final class Text implements Constraint.Follower {

    private State state;
    private boolean begun;
    private boolean ended;

    Text() {
      synchronized (Grammar.this) {
        state = automaton.start();
      }
    }

    @Override
    public void restrict(float[] logits) {
      if (ended) {
        throw new IllegalStateException("the text has ended");
      }
      long[] mask;
      synchronized (Grammar.this) {
        mask = (begun ? later : first).of(state);
      }
      long any = 0;
      for (int word = 0; word * 64 < logits.length; word++) {
        long allowed = word < mask.length ? mask[word] : 0;
        if (state.complete && word < ends.length) {
          allowed |= ends[word];
        }
        any |= allowed;
        ban(logits, word * 64, allowed);
      }
      if (any == 0) {
        throw new GenerationException(
            "no token of the vocabulary continues the text as it must go on");
      }
    }

    private static void ban(float[] logits, int from, long allowed) {
      int to = Math.min(from + 64, logits.length);
      if (allowed == 0) {
        Arrays.fill(logits, from, to, Float.NEGATIVE_INFINITY);
        return;
      }
      for (long banned = ~allowed; banned != 0; banned &= banned - 1) {
        int at = from + Long.numberOfTrailingZeros(banned);
        if (at >= to) {
          return;
        }
        logits[at] = Float.NEGATIVE_INFINITY;
      }
    }

    @Override
    public void accept(int token) {
      if (Masks.has(ends, token) && state.complete) {
        ended = true;
        return;
      }
      byte[] symbol = symbols.get(token);
      byte[] bytes = symbol == null ? tokens.of(token, !begun) : symbol;
      synchronized (Grammar.this) {
        State next = automaton.current(state);
        for (byte b : bytes) {
          boolean text = symbol != null || (b & 0xFF) < Alphabet.SYMBOLS;
          next = text ? automaton.after(next, b & 0xFF) : automaton.dead();
        }
        if (bytes.length == 0 || next.isDead() || Masks.has(ends, token)) {
          throw new IllegalArgumentException(
              String.format(Locale.ROOT, "token %d cannot follow here", token));
        }
        state = next;
      }
      begun |= symbol == null;
    }

    @Override
    public boolean isComplete() {
      return state.complete;
    }

    @Override
    public boolean isFinished() {
      return state.isFinished();
    }
  }
}
