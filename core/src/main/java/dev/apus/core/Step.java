package dev.apus.core;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.RowRoutes;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceState;
import dev.apus.core.routing.RouteListener;
import dev.apus.core.tensor.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.BooleanSupplier;

/**
 * One forward pass over the next tokens of some sequences: it happens to all of them, or to none.
 */
final class Step {

  private final Model model;
  private final List<Sequence> sequences = new ArrayList<>();
  private final List<Run<SequenceState>> runs = new ArrayList<>();
  private int rows;

  Step(Model model) {
    this.model = model;
  }

  boolean isEmpty() {
    return sequences.isEmpty();
  }

  int rows() {
    return rows;
  }

  /**
   * Takes in the next tokens of a sequence.
   *
   * @param count at most as many as are due
   */
  void add(Sequence sequence, int count) {
    SequenceState state = sequence.state();
    runs.add(new Run<>(state, rows, rows + count, state.length()));
    sequences.add(sequence);
    rows += count;
  }

  /**
   * Computes. A sequence whose last token is among the rows knows its logits afterwards.
   *
   * @throws RuntimeException what went wrong; every sequence is then where it was
   */
  void run(Pass pass, BooleanSupplier cancelled) {
    int[] ends = new int[runs.size()];
    int count = 0;
    for (int i = 0; i < runs.size(); i++) {
      if (sequences.get(i).due() == runs.get(i).length()) {
        ends[count++] = runs.get(i).to() - 1;
      }
    }
    Matrix logits = forward(pass, Arrays.copyOf(ends, count), cancelled);
    for (int i = 0, next = 0; i < sequences.size(); i++) {
      boolean last = sequences.get(i).due() == 0;
      sequences.get(i).advanced(runs.get(i), last ? row(logits, next++) : null);
    }
  }

  /** Computes the logits after every row. */
  List<float[]> runForAll(Pass pass, BooleanSupplier cancelled) {
    int[] wanted = new int[rows];
    Arrays.setAll(wanted, i -> i);
    Matrix logits = forward(pass, wanted, cancelled);
    List<float[]> result = new ArrayList<>();
    for (int row = 0; row < rows; row++) {
      result.add(row(logits, row));
    }
    for (int i = 0; i < sequences.size(); i++) {
      boolean last = sequences.get(i).due() == 0;
      sequences.get(i).advanced(runs.get(i), last ? result.get(runs.get(i).to() - 1) : null);
    }
    return result;
  }

  private static float[] row(Matrix logits, int row) {
    return logits.rows() == 1
        ? logits.data()
        : Arrays.copyOfRange(logits.data(), logits.at(row), logits.at(row) + logits.cols());
  }

  private Matrix forward(Pass pass, int[] wanted, BooleanSupplier cancelled) {
    int[] tokens = new int[rows];
    for (int i = 0; i < runs.size(); i++) {
      Run<SequenceState> run = runs.get(i);
      System.arraycopy(sequences.get(i).next(run.length()), 0, tokens, run.from(), run.length());
    }
    Matrix logits = Matrix.zeros(wanted.length, model.architecture().vocabulary());
    Lifetime lifetime = model.lifetime();
    lifetime.enter();
    int kept = 0;
    pass.tellRoutes(routes());
    try {
      for (; kept < sequences.size(); kept++) {
        sequences.get(kept).keep();
      }
      model
          .network()
          .forward(
              pass,
              new Batch<>(runs),
              tokens,
              wanted,
              logits,
              () -> lifetime.isClosed() || cancelled.getAsBoolean());
      for (Sequence sequence : sequences) {
        if (sequence.due() == 0) {
          model.network().rest(pass, sequence.state());
        }
      }
      return logits;
    } catch (RuntimeException | Error e) {
      throw undone(kept, e);
    } finally {
      pass.tellRoutes(null);
      lifetime.leave();
      for (Sequence sequence : sequences.subList(0, kept)) {
        sequence.release();
      }
    }
  }

  /** Tells the sequences that want to know it where their tokens go; null if none does. */
  private RowRoutes routes() {
    boolean wanted = false;
    for (Sequence sequence : sequences) {
      wanted |= sequence.routes() != null;
    }
    return wanted ? this::route : null;
  }

  private void route(int layer, int top, int[] chosen, float[] weights, int among) {
    for (int i = 0; i < sequences.size(); i++) {
      RouteListener listener = sequences.get(i).routes();
      Run<SequenceState> run = runs.get(i);
      for (int row = run.from(); listener != null && row < run.to(); row++) {
        int at = row * top;
        int end = at + top;
        while (end > at && chosen[end - 1] == among) {
          end--;
        }
        listener.routed(
            layer,
            run.position() + row - run.from(),
            Arrays.copyOfRange(chosen, at, end),
            Arrays.copyOfRange(weights, at, end),
            among);
      }
    }
  }

  /** Takes the sequences back to before the step, and says what went wrong. */
  private RuntimeException undone(int kept, Throwable e) {
    sequences.subList(0, kept).forEach(Sequence::undo);
    return explained(model, "a session", e);
  }

  /** What went wrong in a pass of a model, as its user is told. */
  static RuntimeException explained(Model model, String who, Throwable e) {
    if (model.lifetime().isClosed()) {
      return new GenerationException("the model was closed while " + who + " computed", e);
    }
    return switch (e) {
      case InternalError fault ->
          new GenerationException(
              "a weight could not be read; its file was changed or cut short while it was open",
              fault);
      case Error error -> throw error;
      case RuntimeException other -> other;
      default -> throw new IllegalStateException(e);
    };
  }
}
