package dev.apus.core;

import java.util.concurrent.ExecutionException;
import java.util.concurrent.FutureTask;
import java.util.function.Supplier;

/** A result that a thread of its own computes from now on, beside what its maker does meanwhile. */
final class Later<T> {

  private final FutureTask<T> task;

  private Later(FutureTask<T> task) {
    this.task = task;
  }

  static <T> Later<T> of(String name, Supplier<T> work) {
    var later = new Later<>(new FutureTask<>(work::get));
    Thread.ofPlatform().name("apus-" + name).daemon().start(later.task);
    return later;
  }

  /** A result that is there already. */
  static <T> Later<T> known(T result) {
    FutureTask<T> task = new FutureTask<>(() -> result);
    task.run();
    return new Later<>(task);
  }

  /** The result, as soon as it is there; or what kept it from being computed, thrown here. */
  T get() {
    boolean interrupted = false;
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
