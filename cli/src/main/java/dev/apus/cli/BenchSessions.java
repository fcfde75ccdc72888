package dev.apus.cli;

import dev.apus.core.BatchLimits;
import dev.apus.core.Batcher;
import dev.apus.core.Model;
import dev.apus.core.Reply;
import dev.apus.core.Session;
import dev.apus.core.generate.Sampling;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;

/**
 * Many sessions that generate together, each after a text of its own. A run goes on where the one
 * before it ended; the first one counts as warm-up.
 */
final class BenchSessions implements AutoCloseable {

  private final int tokens;
  private final int depth;
  private final int repetitions;
  private final SplittableRandom random = new SplittableRandom(1);
  private final List<Session> sessions = new ArrayList<>();
  private final Batcher batcher;
  private final int vocabulary;

  BenchSessions(Model model, int count, int tokens, int depth, int repetitions) {
    this.tokens = tokens;
    this.depth = depth;
    this.repetitions = repetitions;
    this.vocabulary = model.architecture().vocabulary();
    long limit = 1L + depth + (repetitions + 1L) * (tokens + 1L);
    this.batcher = new Batcher(model, BatchLimits.standard().withSessions(count));
    try {
      for (int i = 0; i < count; i++) {
        sessions.add(model.newSession((int) Math.min(Integer.MAX_VALUE, limit)));
      }
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /** The name of the test. */
  String test() {
    return "tg" + tokens + (depth == 0 ? "" : " @ d" + depth) + " × " + sessions.size();
  }

  /** Tokens per second of all sessions together, in each run. */
  List<Double> measure() {
    if (depth > 0) {
      run(depth, 1);
    }
    run(1, tokens);
    List<Double> runs = new ArrayList<>();
    for (int i = 0; i < repetitions; i++) {
      runs.add(run(1, tokens));
    }
    return runs;
  }

  /** Memory that the sessions' states take now. */
  long stateBytes() {
    return sessions.stream().mapToLong(Session::bytes).sum();
  }

  private double run(int prompt, int generated) {
    Sampling sampling = Sampling.greedy().withMaxTokens(generated);
    long start = System.nanoTime();
    List<Reply> replies = new ArrayList<>();
    for (Session session : sessions) {
      int[] ids = random.ints(prompt, 0, vocabulary).toArray();
      replies.add(batcher.submit(session, ids, sampling));
    }
    long count = 0;
    for (Reply reply : replies) {
      count += reply.join().tokens().size();
    }
    return count * 1e9 / (System.nanoTime() - start);
  }

  @Override
  public void close() {
    batcher.close();
    sessions.forEach(Session::close);
  }
}
