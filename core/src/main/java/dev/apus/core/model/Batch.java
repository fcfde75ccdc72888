package dev.apus.core.model;

import java.util.List;
import java.util.function.Function;

/**
 * The rows of one forward call: runs of several sequences back to back, with no padding between.
 */
public record Batch<S>(List<Run<S>> runs) {

  public Batch {
    runs = List.copyOf(runs);
    int next = 0;
    for (Run<S> run : runs) {
      if (run.from() != next) {
        throw new IllegalArgumentException(
            "a run starts at row " + run.from() + ", expected " + next);
      }
      next = run.to();
    }
  }

  public static <S> Batch<S> of(S state, int rows, int position) {
    return new Batch<>(List.of(new Run<>(state, 0, rows, position)));
  }

  public int rows() {
    return runs.isEmpty() ? 0 : runs.getLast().to();
  }

  /** The same runs with other states. */
  public <T> Batch<T> map(Function<S, T> state) {
    return new Batch<>(
        runs.stream()
            .map(r -> new Run<>(state.apply(r.state()), r.from(), r.to(), r.position()))
            .toList());
  }
}
