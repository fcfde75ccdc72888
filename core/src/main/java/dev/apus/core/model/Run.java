package dev.apus.core.model;

/**
 * Consecutive rows {@code [from, to)} of a batch that continue one sequence.
 *
 * @param position how many tokens of the sequence came before the first of these
 */
public record Run<S>(S state, int from, int to, int position) {

  public Run {
    if (from < 0 || from >= to || position < 0) {
      throw new IllegalArgumentException(
          "a run needs at least one row, found [" + from + ", " + to + ") at " + position);
    }
  }

  public int length() {
    return to - from;
  }
}
