package dev.apus.core;

import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.StopReason;
import dev.apus.core.generate.Token;
import dev.apus.core.generate.Usage;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Collectors;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * A continuation that a {@link Batcher} computes: its tokens as they come, as an iterator that
 * waits or as a {@link #stream}, and all of them in the end, as a {@link #future}. Tokens are
 * computed whether they are taken or not. Any thread may use it; each token is handed out once.
 */
public final class Reply implements Iterator<Token>, AutoCloseable {

  /** A continuation that has ended. */
  public record Completion(List<Token> tokens, StopReason stopReason, Usage usage) {

    public Completion {
      tokens = List.copyOf(tokens);
    }

    /** The text of all tokens. */
    public String text() {
      return tokens.stream().map(Token::text).collect(Collectors.joining());
    }
  }

  private final CompletableFuture<Completion> future = new CompletableFuture<>();
  private final List<Token> tokens = new ArrayList<>();
  private int taken;
  private Completion completion;
  private GenerationException failure;
  private volatile boolean cancelled;

  Reply() {}

  synchronized void add(Token token) {
    tokens.add(token);
    notifyAll();
  }

  void end(StopReason reason, Usage usage) {
    synchronized (this) {
      completion = new Completion(tokens, reason, usage);
      notifyAll();
    }
    future.complete(completion);
  }

  void fail(GenerationException e) {
    synchronized (this) {
      failure = e;
      notifyAll();
    }
    future.completeExceptionally(e);
  }

  boolean isCancelled() {
    return cancelled;
  }

  private boolean hasEnded() {
    return completion != null || failure != null;
  }

  /**
   * Waits for the next token; false after the last. An interrupt cancels the continuation, and
   * stays set.
   *
   * @throws GenerationException if it failed; tokens that came before are handed out first
   */
  @Override
  public synchronized boolean hasNext() {
    boolean interrupted = false;
    while (taken == tokens.size() && !hasEnded()) {
      try {
        wait();
      } catch (InterruptedException e) {
        interrupted = true;
        cancel();
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
    if (taken < tokens.size()) {
      return true;
    }
    if (failure != null) {
      throw new GenerationException(failure.getMessage(), failure);
    }
    return false;
  }

  /**
   * Waits for the next token.
   *
   * @throws NoSuchElementException after the last
   * @throws GenerationException as {@link #hasNext}
   */
  @Override
  public synchronized Token next() {
    if (!hasNext()) {
      throw new NoSuchElementException("the continuation has ended: " + completion.stopReason());
    }
    return tokens.get(taken++);
  }

  /** The tokens that have not been taken, as they come; closing the stream cancels what is left. */
  public Stream<Token> stream() {
    int ordered = Spliterator.ORDERED | Spliterator.NONNULL;
    return StreamSupport.stream(Spliterators.spliteratorUnknownSize(this, ordered), false)
        .onClose(this::close);
  }

  /**
   * All tokens, when the continuation has ended; a failure is its {@link GenerationException}.
   * Actions of its dependents should be short, or have an executor of their own: the thread that
   * computes runs them. Cancelling the future does not cancel the continuation.
   */
  public CompletableFuture<Completion> future() {
    return future.copy();
  }

  /** Waits for the end. */
  public Completion join() {
    while (hasNext()) {
      next();
    }
    return completion;
  }

  /** Why it ended; empty until then, and after a failure. */
  public synchronized Optional<StopReason> stopReason() {
    return Optional.ofNullable(completion).map(Completion::stopReason);
  }

  /** Ends the continuation before the next pass. */
  public void cancel() {
    cancelled = true;
  }

  /** Cancels the continuation, unless it has ended. */
  @Override
  public void close() {
    cancel();
  }
}
