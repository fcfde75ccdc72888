package dev.apus.core;

import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.function.BooleanSupplier;

/** What sessions have not computed yet, in as few steps as there can be. */
final class Computation {

  /** Rows of one pass, at most: longer work is computed in pieces, to bound the memory it takes. */
  static final int CHUNK = 512;

  private Computation() {}

  /**
   * Computes the logits of all sessions. If it fails or is cancelled, each session has its tokens
   * as before, and goes on with the same bits from the last step that was completed.
   */
  static void logits(Model model, List<Session> sessions, BooleanSupplier cancelled) {
    if (sessions.size() > 1 && new HashSet<>(sessions).size() != sessions.size()) {
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
    List<Session> due = new ArrayList<>();
    List<Sequence> sequences = new ArrayList<>();
    for (Session session : sessions) {
      if (session.sequence().isDue()) {
        due.add(session);
        sequences.add(session.sequence());
      }
    }
    entered(due, () -> steps(model, sequences, cancelled));
  }

  private static void entered(List<Session> sessions, Runnable work) {
    List<Session> entered = new ArrayList<>();
    try {
      for (Session session : sessions) {
        session.enter();
        entered.add(session);
      }
      work.run();
    } finally {
      entered.forEach(Session::leave);
    }
  }

  private static void steps(Model model, List<Sequence> sequences, BooleanSupplier cancelled) {
    sequences.forEach(Sequence::begin);
    for (int next = 0; next < sequences.size(); ) {
      Step step = new Step(model);
      while (next < sequences.size()) {
        Sequence sequence = sequences.get(next);
        int due = sequence.due();
        int count = sequence.piece(chunk(model) - step.rows());
        if (count > 0) {
          step.add(sequence, count);
        }
        if (count < due) {
          break;
        }
        next++;
      }
      if (!step.isEmpty()) {
        step.run(sequences.getFirst().pass(), cancelled);
      }
    }
  }

  private static int chunk(Model model) {
    return Math.max(CHUNK, model.grain());
  }

  /** The logits after each token that a session has not computed yet. */
  static List<float[]> scores(Session session) {
    List<float[]> scores = new ArrayList<>();
    entered(
        List.of(session),
        () -> {
          Sequence sequence = session.sequence();
          while (sequence.due() > 0) {
            Step step = new Step(session.model());
            step.add(sequence, sequence.piece(chunk(session.model())));
            scores.addAll(step.runForAll(sequence.pass(), () -> false));
          }
        });
    return scores;
  }
}
