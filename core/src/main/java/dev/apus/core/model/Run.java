package dev.apus.core.model;

/**
 * Consecutive rows {@code [from, to)} of a batch that continue one sequence.
 *
 * @param position how many tokens of the sequence came before the first of these
 * @param visibility what these rows see
 * @param global the positions of tokens that see, and are seen by, the whole text in layers that
 *     otherwise see what is near; ascending
 */
public record Run<S>(S state, int from, int to, int position, Visibility visibility, int[] global) {

  private static final int[] NONE = {};

  public Run {
    if (from < 0 || from >= to || position < 0) {
      throw new IllegalArgumentException(
          "a run needs at least one row, found [" + from + ", " + to + ") at " + position);
    }
  }

  /** Rows of which none is global. */
  public Run(S state, int from, int to, int position, Visibility visibility) {
    this(state, from, to, position, visibility, NONE);
  }

  /** Rows that see themselves and what came before them. */
  public Run(S state, int from, int to, int position) {
    this(state, from, to, position, Visibility.CAUSAL);
  }

  /** The same rows with another state. */
  <T> Run<T> with(T other) {
    return new Run<>(other, from, to, position, visibility, global);
  }

  /** The same rows, of a text with these global tokens. */
  public Run<S> withGlobal(int... tokens) {
    return new Run<>(state, from, to, position, visibility, tokens);
  }

  /** Some of these rows. */
  public Run<S> part(int first, int end) {
    return new Run<>(state, first, end, position + first - from, visibility);
  }

  /** The same rows, which see something else. */
  public Run<S> seeing(Visibility other) {
    return new Run<>(state, from, to, position, other, global);
  }

  public int length() {
    return to - from;
  }
}
