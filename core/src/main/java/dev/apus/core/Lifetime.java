package dev.apus.core;

import dev.apus.core.compute.Workers;
import dev.apus.core.file.TensorFile;
import dev.apus.core.weight.Weights;
import java.lang.foreign.Arena;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * The threads, the memory and the file of a model, given back once it is closed and nobody computes
 * with them.
 *
 * <p>Memory is never taken from under a thread that reads it, though Java would allow that: the JVM
 * then leaves that thread marked as interrupted, which everybody after us would take for a wish to
 * stop.
 */
final class Lifetime {

  private final Workers workers;
  private final Arena arena;
  private final TensorFile file;
  private final Weights weights;
  private final AtomicBoolean closed = new AtomicBoolean();

  /** The open model, and whoever computes. */
  private final AtomicInteger users = new AtomicInteger(1);

  /**
   * @param arena of the weights
   * @param file that weights are read from, or null
   */
  Lifetime(Workers workers, Arena arena, Weights weights, TensorFile file) {
    this.weights = weights;
    this.workers = workers;
    this.arena = arena;
    this.file = file;
  }

  Workers workers() {
    return workers;
  }

  TensorFile file() {
    return file;
  }

  boolean isClosed() {
    return closed.get();
  }

  /**
   * @throws IllegalStateException if the model is closed
   */
  void requireOpen() {
    if (closed.get()) {
      throw new IllegalStateException("the model is closed");
    }
  }

  /**
   * Keeps everything in place until {@link #leave}.
   *
   * @throws IllegalStateException if the model is closed
   */
  void enter() {
    requireOpen();
    if (users.getAndUpdate(count -> count == 0 ? 0 : count + 1) == 0) {
      requireOpen();
    }
  }

  void leave() {
    if (users.decrementAndGet() == 0) {
      giveBack();
    }
  }

  /** Lets nobody begin to compute; returns at once. Closing again does nothing. */
  void close() {
    if (closed.compareAndSet(false, true)) {
      workers.close();
      leave();
    }
  }

  private void giveBack() {
    try {
      weights.close();
      arena.close();
    } finally {
      if (file != null) {
        file.close();
      }
    }
  }
}
