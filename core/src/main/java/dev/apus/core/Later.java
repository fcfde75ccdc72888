package dev.apus.core;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/**
 * A result that is computed when it is asked for, or, once it has {@linkplain #begin begun}, by a
 * thread of its own beside what goes on meanwhile.
 */
final class Later<T> {

  private final String name;
  private final FutureTask<T> task;

  private Later(String name, FutureTask<T> task) {
    this.name = name;
    this.task = task;
  }

  /**
   * Computes nothing yet.
   *
   * @param name of the thread that may
   */
  static <T> Later<T> of(String name, Supplier<T> work) {
    return new Later<>(name, new FutureTask<>(work::get));
  }

  /** Computes it from now on. */
  Later<T> begin() {
    Thread.ofPlatform().name("apus-" + name).daemon().start(task);
    return this;
  }

  /** A result that is there already. */
  static <T> Later<T> known(T result) {
    return of("known", () -> result);
  }

  /** The result, as soon as it is there; or what kept it from being computed, thrown here. */
  T get() {
    boolean interrupted = false;
    // Does nothing if a thread has begun.
    task.run();
    try {
      while (true) {
        try {
          return task.get();
        } catch (InterruptedException e) {
          interrupted = true;
        }
      }
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case RuntimeException cause -> throw cause;
        case Error cause -> throw cause;
        case Throwable cause -> throw new IllegalStateException(cause);
      }
    } finally {
      if (interrupted) {
        Thread.currentThread().interrupt();
      }
    }
  }
}
