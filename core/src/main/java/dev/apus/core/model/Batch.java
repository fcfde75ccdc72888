package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import java.util.ArrayList;
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
      if ((run.visibility() == Visibility.TOGETHER)
          != (runs.getFirst().visibility() == Visibility.TOGETHER)) {
        throw new IllegalArgumentException("rows of text and of a canvas are in one batch");
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

  /** Whether these are rows of canvases; rows of text come in batches of their own. */
  public boolean isTogether() {
    return !runs.isEmpty() && runs.getFirst().visibility() == Visibility.TOGETHER;
  }

  /** What is done for one part of a run, such as one of its heads. */
  @FunctionalInterface
  public interface PartWork<S> {
    void run(Run<S> run, int part, int worker);
  }

  /** Shares {@code parts} parts of every run out to the workers. */
  public void eachPart(Pass pass, int parts, PartWork<S> work) {
    pass.eachUnit(
        runs.size() * parts,
        (from, to, worker) -> {
          for (int index = from; index < to; index++) {
            work.run(runs.get(index / parts), index % parts, worker);
          }
        });
  }

  /** The same runs with other states. */
  public <T> Batch<T> map(Function<S, T> state) {
    List<Run<T>> others = new ArrayList<>(runs.size());
    for (Run<S> run : runs) {
      others.add(run.with(state.apply(run.state())));
    }
    return new Batch<>(others);
  }
}
