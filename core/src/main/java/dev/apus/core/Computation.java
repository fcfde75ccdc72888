package dev.apus.core;

import dev.apus.core.compute.Pass;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.model.Batch;
import dev.apus.core.model.Run;
import dev.apus.core.model.SequenceState;
import dev.apus.core.tensor.Matrix;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.function.BooleanSupplier;

/** Forward passes over what sessions have not computed yet: all of it, or nothing. */
final class Computation {

  /** Rows of one pass, at most: longer work is computed in pieces, to bound the memory it takes. */
  private static final int CHUNK = 512;

  private final Model model;
  private final Pass pass;
  private final BooleanSupplier cancelled;

  private Computation(Session first, BooleanSupplier cancelled) {
    this.model = first.model();
    this.pass = first.pass();
    this.cancelled = cancelled;
  }

  /** Computes the logits of all sessions in as few passes as there can be. */
  static void logits(Model model, List<Session> sessions, BooleanSupplier cancelled) {
    if (new HashSet<>(sessions).size() != sessions.size()) {
      throw new IllegalArgumentException("a session is there twice");
    }
    for (Session session : sessions) {
      if (session.model() != model) {
        throw new IllegalArgumentException("a session belongs to another model");
      }
      if (session.length() == 0) {
        throw new IllegalStateException("a session is empty; append tokens first");
      }
    }
    List<Session> due = sessions.stream().filter(Session::isDue).toList();
    if (!due.isEmpty()) {
      var computation = new Computation(due.getFirst(), cancelled);
      List<float[]> logits = computation.entered(due, false);
      for (int i = 0; i < due.size(); i++) {
        due.get(i).computed(logits.get(i));
      }
    }
  }

  /** The logits after each token that a session has not computed yet. */
  static List<float[]> scores(Session session) {
    return new Computation(session, () -> false).entered(List.of(session), true);
  }

  private List<float[]> entered(List<Session> sessions, boolean every) {
    List<Session> entered = new ArrayList<>();
    try {
      for (Session session : sessions) {
        session.enter();
        entered.add(session);
      }
      sessions.forEach(Session::keep);
      try {
        return passes(sessions, every);
      } catch (RuntimeException | Error e) {
        throw undone(sessions, e);
      } finally {
        sessions.forEach(Session::release);
      }
    } finally {
      entered.forEach(Session::leave);
    }
  }

  /** The logits after the last token of each session, or after every token of the only one. */
  private List<float[]> passes(List<Session> sessions, boolean every) {
    List<float[]> logits = new ArrayList<>();
    for (int next = 0; next < sessions.size(); ) {
      List<Run<SequenceState>> runs = new ArrayList<>();
      List<Integer> wanted = new ArrayList<>();
      int[] tokens = new int[CHUNK];
      int rows = 0;
      while (next < sessions.size() && rows < CHUNK) {
        Session session = sessions.get(next);
        SequenceState state = session.state();
        int due = session.length() - state.length();
        int taken = Math.min(due, CHUNK - rows);
        runs.add(new Run<>(state, rows, rows + taken, state.length()));
        System.arraycopy(session.due(taken), 0, tokens, rows, taken);
        for (int row = every ? rows : rows + taken - 1; row < rows + taken; row++) {
          if (every || taken == due) {
            wanted.add(row);
          }
        }
        rows += taken;
        if (taken < due) {
          break;
        }
        next++;
      }
      forward(new Batch<>(runs), Arrays.copyOf(tokens, rows), wanted, logits);
    }
    return logits;
  }

  private void forward(
      Batch<SequenceState> batch, int[] tokens, List<Integer> wanted, List<float[]> logits) {
    int[] rows = wanted.stream().mapToInt(row -> row).toArray();
    Matrix result = Matrix.zeros(rows.length, model.architecture().vocabulary());
    model.network().forward(pass, batch, tokens, rows, result, cancelled);
    if (rows.length == 1) {
      logits.add(result.data());
      return;
    }
    for (int i = 0; i < rows.length; i++) {
      logits.add(Arrays.copyOfRange(result.data(), result.at(i), result.at(i) + result.cols()));
    }
  }

  /** Takes the sessions back to before the call, and says what went wrong. */
  private RuntimeException undone(List<Session> sessions, Throwable e) {
    if (model.isClosed()) {
      return new GenerationException("the model was closed while a session computed", e);
    }
    sessions.forEach(Session::undo);
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
