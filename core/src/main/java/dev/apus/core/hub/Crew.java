package dev.apus.core.hub;

import java.io.IOException;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;

/** Work of a pull that goes on side by side, so much of it at a time as there are connections. */
final class Crew implements AutoCloseable {

  private final ExecutorService threads = Executors.newVirtualThreadPerTaskExecutor();
  private final Semaphore connections;

  Crew(int connections) {
    this.connections = new Semaphore(connections);
  }

  /** Work that needs a connection. */
  Future<Void> start(Callable<Void> work) {
    return threads.submit(
        () -> {
          connections.acquire();
          try {
            return work.call();
          } finally {
            connections.release();
          }
        });
  }

  /** Work that waits for other work, and needs no connection of its own. */
  Future<Void> oversee(Callable<Void> work) {
    return threads.submit(work);
  }

  /**
   * Waits for all.
   *
   * @throws IOException or whatever else the first that failed threw; the others are cancelled
   */
  static void join(List<Future<Void>> all) throws IOException, InterruptedException {
    try {
      for (Future<Void> one : all) {
        one.get();
      }
    } catch (ExecutionException e) {
      switch (e.getCause()) {
        case IOException fault -> throw fault;
        case InterruptedException fault -> throw fault;
        case RuntimeException fault -> throw fault;
        case Error fault -> throw fault;
        default -> throw new IllegalStateException(e.getCause());
      }
    } finally {
      all.forEach(one -> one.cancel(true));
    }
  }

  /** Ends whatever goes on. */
  @Override
  public void close() {
    threads.shutdownNow();
    threads.close();
  }
}
