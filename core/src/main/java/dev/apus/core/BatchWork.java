package dev.apus.core;

import dev.apus.core.generate.Generation;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.StopReason;
import dev.apus.core.generate.Token;
import dev.apus.core.generate.Usage;
import java.time.Duration;
import java.util.Set;

/** One continuation that a batcher has taken on. Used by one thread at a time. */
final class BatchWork {

  private final Model model;
  private final Reply reply = new Reply();
  private final int[] prompt;
  private final Sampling sampling;
  private final int limit;
  private final boolean owned;
  private final Set<Session> lent;
  private Session session;
  private Generation generation;
  private boolean begun;
  private boolean ended;
  private long started;
  private long firstToken;
  private long lastToken;

  /**
   * @param session that is continued, or null for one of its own
   * @param limit of its own session
   * @param lent where sessions are that somebody lent; this one's goes back before its reply ends
   */
  BatchWork(
      Model model, Session session, int[] prompt, Sampling sampling, int limit, Set<Session> lent) {
    this.model = model;
    this.session = session;
    this.prompt = prompt.clone();
    this.sampling = sampling;
    this.limit = limit;
    this.owned = session == null;
    this.lent = lent;
  }

  Reply reply() {
    return reply;
  }

  /** The session that somebody lent, or null. */
  Session lent() {
    return owned ? null : session;
  }

  boolean hasEnded() {
    return ended;
  }

  Sequence sequence() {
    return session.sequence();
  }

  long bytes() {
    return session.bytes();
  }

  /** Appends the prompt; of a session that was lent, in the thread of the lender. */
  void prepare() {
    generation = session.start(prompt, sampling);
  }

  /** Begins, when its turn has come. */
  void admit() {
    started = System.nanoTime();
    if (owned) {
      try {
        session = model.newSession(limit);
        prepare();
      } catch (RuntimeException | Error e) {
        fail(new GenerationException("the continuation cannot begin: " + e.getMessage(), e));
      }
    }
  }

  /** Ends if it was asked to. */
  void checkCancelled() {
    if (reply.isCancelled()) {
      cancel();
    }
  }

  /** Ends as cancelled. */
  void cancel() {
    if (ended) {
      return;
    }
    if (generation == null) {
      finish(StopReason.CANCELLED, new Usage(0, 0, Duration.ZERO, 0, Duration.ZERO));
      return;
    }
    generation.close();
    finish(generation.stopReason().orElse(StopReason.CANCELLED), usage());
  }

  /** Enters the session, and looks for a beginning; false if that failed. */
  boolean enter() {
    try {
      session.enter();
    } catch (IllegalStateException e) {
      failFrom(e);
      return false;
    }
    try {
      if (!begun) {
        sequence().begin();
        begun = true;
      }
      return true;
    } catch (RuntimeException | Error e) {
      leave();
      failFrom(e);
      return false;
    }
  }

  void leave() {
    session.leave();
  }

  /** Chooses the next token, whose logits are known, or computes them alone. */
  void choose() {
    if (ended) {
      return;
    }
    try {
      if (generation.hasNext()) {
        Token token = generation.next();
        lastToken = System.nanoTime();
        firstToken = firstToken == 0 ? lastToken : firstToken;
        reply.add(token);
      }
      generation.stopReason().ifPresent(reason -> finish(reason, usage()));
    } catch (GenerationException e) {
      fail(e);
    } catch (RuntimeException | Error e) {
      failFrom(e);
    }
  }

  private Usage usage() {
    Usage counted = generation.usage();
    long prompted = firstToken == 0 ? 0 : firstToken - started;
    return new Usage(
        counted.promptTokens(),
        counted.reusedTokens(),
        Duration.ofNanos(prompted),
        counted.generatedTokens(),
        Duration.ofNanos(lastToken - firstToken));
  }

  private void failFrom(Throwable e) {
    if (generation != null) {
      generation.close();
    }
    fail(new GenerationException("the continuation failed: " + e.getMessage(), e));
  }

  void fail(GenerationException e) {
    if (!ended) {
      giveBack();
      reply.fail(e);
    }
  }

  private void finish(StopReason reason, Usage usage) {
    giveBack();
    reply.end(reason, usage);
  }

  private void giveBack() {
    ended = true;
    if (!owned) {
      lent.remove(session);
    } else if (session != null) {
      session.close();
    }
  }
}
