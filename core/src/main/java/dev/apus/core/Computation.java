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
import java.util.concurrent.CancellationException;

/** Forward passes over what sessions have not computed yet: all of it, or nothing. */
final class Computation {

  /** Rows of one pass: long prompts are computed in pieces, to bound the memory they take. */
  private static final int CHUNK = 512;

  private Computation() {}

  /** Computes the logits of all sessions in as few passes as there can be. */
  static void logits(Model model, List<Session> sessions) {
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
    if (due.isEmpty()) {
      return;
    }
    Matrix rows = Matrix.zeros(due.size(), model.architecture().vocabulary());
    forward(due, null, rows);
    for (int i = 0; i < due.size(); i++) {
      int at = rows.at(i);
      due.get(i).computed(Arrays.copyOfRange(rows.data(), at, at + rows.cols()));
    }
  }

  /**
   * Computes what is due.
   *
   * @param wanted the rows whose logits are wanted; null for the last of each session
   */
  static void forward(List<Session> sessions, int[] wanted, Matrix logits) {
    List<Session> entered = new ArrayList<>();
    try {
      for (Session session : sessions) {
        session.enter();
        entered.add(session);
      }
      sessions.forEach(Session::keep);
      try {
        passes(sessions, wanted, logits);
      } catch (RuntimeException | Error e) {
        throw undone(sessions, e);
      }
    } finally {
      entered.forEach(Session::leave);
    }
  }

  private static void passes(List<Session> sessions, int[] wanted, Matrix logits) {
    Model model = sessions.getFirst().model();
    Pass pass = sessions.getFirst().pass();
    Matrix nothing = Matrix.zeros(0, logits.cols());
    for (Session session : sessions) {
      while (wanted == null && due(session) > CHUNK) {
        model
            .network()
            .forward(pass, batch(List.of(session), CHUNK), session.due(CHUNK), new int[0], nothing);
      }
    }
    Batch<SequenceState> batch = batch(sessions, Integer.MAX_VALUE);
    int[] tokens = new int[batch.rows()];
    for (int i = 0; i < sessions.size(); i++) {
      Run<SequenceState> run = batch.runs().get(i);
      System.arraycopy(sessions.get(i).due(run.length()), 0, tokens, run.from(), run.length());
    }
    int[] last = batch.runs().stream().mapToInt(run -> run.to() - 1).toArray();
    model.network().forward(pass, batch, tokens, wanted == null ? last : wanted, logits);
  }

  private static int due(Session session) {
    return session.length() - session.state().length();
  }

  private static Batch<SequenceState> batch(List<Session> sessions, int most) {
    List<Run<SequenceState>> runs = new ArrayList<>();
    int from = 0;
    for (Session session : sessions) {
      int to = from + Math.min(most, due(session));
      runs.add(new Run<>(session.state(), from, to, session.state().length()));
      from = to;
    }
    return new Batch<>(runs);
  }

  /** Takes the sessions back to before the call, and says what went wrong. */
  private static RuntimeException undone(List<Session> sessions, Throwable e) {
    if (sessions.getFirst().model().isClosed()) {
      return new GenerationException("the model was closed while a session computed", e);
    }
    sessions.forEach(Session::undo);
    return switch (e) {
      case CancellationException cancelled -> cancelled;
      case InternalError fault ->
          new GenerationException(
              "a weight could not be read; its file was changed or cut short while it was open",
              fault);
      case Error error -> throw error;
      case RuntimeException other -> other;
      default -> new GenerationException("the model failed: " + e, e);
    };
  }
}
