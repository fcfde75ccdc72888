package dev.apus.core.weight;

import java.util.List;
import java.util.concurrent.ArrayBlockingQueue;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;

/**
 * Brings experts in before they are asked, on a thread of its own. It keeps at most one wish: by
 * the time that a second one comes, the first is late.
 */
final class Foresight implements AutoCloseable {

  private static final long PATIENCE_SECONDS = 60;

  private final ArrayBlockingQueue<List<ExpertStore.Expert>> wishes = new ArrayBlockingQueue<>(1);
  private final Consumer<List<ExpertStore.Expert>> work;
  private Thread thread;
  private volatile boolean closed;

  /**
   * @param work brings experts in
   */
  Foresight(Consumer<List<ExpertStore.Expert>> work) {
    this.work = work;
  }

  synchronized void wish(List<ExpertStore.Expert> experts) {
    if (thread == null && !closed) {
      thread = Thread.ofPlatform().daemon().name("apus-experts").start(this::serve);
    }
    wishes.poll();
    wishes.offer(experts);
  }

  private void serve() {
    while (!closed) {
      try {
        List<ExpertStore.Expert> next = wishes.poll(PATIENCE_SECONDS, TimeUnit.SECONDS);
        if (next != null) {
          work.accept(next);
        }
      } catch (InterruptedException e) {
        return;
      }
    }
  }

  /** Returns when nothing is being brought in any more. */
  @Override
  public synchronized void close() {
    closed = true;
    if (thread == null) {
      return;
    }
    wishes.clear();
    wishes.offer(List.of());
    boolean interrupted = false;
    while (thread.isAlive()) {
      try {
        thread.join();
      } catch (InterruptedException e) {
        interrupted = true;
      }
    }
    if (interrupted) {
      Thread.currentThread().interrupt();
    }
  }
}
