package dev.apus.core.model;

/**
 * Consecutive rows {@code [from, to)} of a batch that continue one sequence.
 *
 * @param position how many tokens of the sequence came before the first of these
 * @param visibility what these rows see
 * @param global the positions of tokens that see, and are seen by, the whole text in layers that
 *     otherwise see what is near; ascending
 * @param level how much noise the text has, for diffusion models that are told
 */
public record Run<S>(
    S state, int from, int to, int position, Visibility visibility, int[] global, double level) {

  private static final int[] NONE = {};

  public Run {
    if (from < 0 || from >= to || position < 0) {
      throw new IllegalArgumentException(
          "a run needs at least one row, found [" + from + ", " + to + ") at " + position);
    }
  }

  /** Rows of which none is global. */
  public Run(S state, int from, int to, int position, Visibility visibility) {
    this(state, from, to, position, visibility, NONE, 0);
  }

  /** Rows that see themselves and what came before them. */
  public Run(S state, int from, int to, int position) {
    this(state, from, to, position, Visibility.CAUSAL);
  }

  /** The same rows with another state. */
  <T> Run<T> with(T other) {
    return new Run<>(other, from, to, position, visibility, global, level);
  }

  /** The same rows, of a text with these global tokens. */
  public Run<S> withGlobal(int... tokens) {
    return new Run<>(state, from, to, position, visibility, tokens, level);
  }

  /** Some of these rows. */
  public Run<S> part(int first, int end) {
    return new Run<>(state, first, end, position + first - from, visibility, NONE, level);
  }

  /** The same rows, which see something else. */
  public Run<S> seeing(Visibility other) {
    return new Run<>(state, from, to, position, other, global, level);
  }

  /** The same rows, of a text with so much noise. */
  public Run<S> atLevel(double noise) {
    return new Run<>(state, from, to, position, visibility, global, noise);
  }

  public int length() {
    return to - from;
  }

  /** Whether a row of the batch is one of these. */
  public boolean has(int row) {
    return row >= from && row < to;
  }
}
