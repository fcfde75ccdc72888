package dev.apus.core.model;

/**
 * Consecutive rows {@code [from, to)} of a batch that continue one sequence.
 *
 * @param position how many tokens of the sequence came before the first of these
 * @param visibility what these rows see
 */
public record Run<S>(S state, int from, int to, int position, Visibility visibility) {

  public Run {
    if (from < 0 || from >= to || position < 0) {
      throw new IllegalArgumentException(
          "a run needs at least one row, found [" + from + ", " + to + ") at " + position);
    }
  }

  /** Rows that see themselves and what came before them. */
  public Run(S state, int from, int to, int position) {
    this(state, from, to, position, Visibility.CAUSAL);
  }

  /** The same rows with another state. */
  <T> Run<T> with(T other) {
    return new Run<>(other, from, to, position, visibility);
  }

  /** The same rows, which see something else. */
  public Run<S> seeing(Visibility other) {
    return new Run<>(state, from, to, position, other);
  }

  public int length() {
    return to - from;
  }
}
