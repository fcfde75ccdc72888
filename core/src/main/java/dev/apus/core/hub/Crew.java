package dev.apus.core.hub;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
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

  /** Work that is waited for together; for one thread to start and to wait for. */
  final class Team {

    private final CompletionService<Void> ended = new ExecutorCompletionService<>(threads);
    private final List<Future<Void>> all = new ArrayList<>();

    /** Work that needs a connection. */
    void start(Callable<Void> work) {
      oversee(
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
    void oversee(Callable<Void> work) {
      all.add(ended.submit(work));
    }

    /**
     * Waits for all, or until one fails.
     *
     * @throws IOException or whatever else the first that failed threw; the others are cancelled
     */
    void join() throws IOException, InterruptedException {
      try {
        for (int i = 0; i < all.size(); i++) {
          ended.take().get();
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
  }

  /** Ends whatever goes on. */
  @Override
  public void close() {
    threads.shutdownNow();
    threads.close();
  }
}
