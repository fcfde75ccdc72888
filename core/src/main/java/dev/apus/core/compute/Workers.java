package dev.apus.core.compute;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;

/**
 * A persistent team of threads that shares out the parts of one job at a time.
 *
 * <p>Parts are claimed one by one, so a thread that the system has put aside delays nobody but
 * itself. Which thread computes a part never changes its result: each output has one owner, and
 * nothing is summed across threads. A caller that finds the team busy with somebody else's job does
 * its own alone.
 *
 * <p>Helpers spin for a moment between jobs, because waking a parked thread costs more than most
 * jobs of a decode step, and then park.
 */
public final class Workers implements AutoCloseable {

  /**
   * Does one part of a job; {@code worker} is below {@link #threads} and unique among the running.
   */
  @FunctionalInterface
  public interface Work {
    void run(int part, int worker);
  }

  /** The largest team, the caller included. */
  public static final int MOST_THREADS = 1024;

  private static final long SPIN_NANOS = 80_000;

  /**
   * A helper that takes longer than this many spins has probably lost its processor: offer ours.
   */
  private static final int YIELD_AFTER = 20_000;

  private final Helper[] helpers;
  private final ReentrantLock team = new ReentrantLock();
  private volatile Job job;
  private volatile boolean closed;

  private Workers(int threads, Consumer<Thread> start) {
    helpers = new Helper[threads - 1];
    Arrays.setAll(helpers, i -> new Helper(i + 1));
    try {
      for (Helper helper : helpers) {
        start.accept(helper);
      }
    } catch (RuntimeException | Error e) {
      close();
      throw e;
    }
  }

  /**
   * A team of this many threads, the caller included.
   *
   * @throws IllegalArgumentException if {@code threads} is not between 1 and {@link #MOST_THREADS}
   */
  public static Workers of(int threads) {
    return of(threads, Thread::start);
  }

  /** A team whose threads are started so; if one cannot be, those before it end. */
  static Workers of(int threads, Consumer<Thread> start) {
    return new Workers(checked(threads), start);
  }

  /**
   * The same count, if a team can be so large.
   *
   * @throws IllegalArgumentException if {@code threads} is not between 1 and {@link #MOST_THREADS}
   */
  public static int checked(int threads) {
    if (threads < 1 || threads > MOST_THREADS) {
      throw new IllegalArgumentException(
          "threads must be between 1 and " + MOST_THREADS + ", found " + threads);
    }
    return threads;
  }

  /** How many threads work on a job, the caller included. */
  public int threads() {
    return helpers.length + 1;
  }

  /**
   * Runs parts {@code 0 … parts − 1} and returns when all are done.
   *
   * @throws IllegalStateException if a part that the team works on calls this
   * @throws RuntimeException what the first failing part threw, or that part's Error; parts not yet
   *     claimed are dropped
   */
  public void run(int parts, Work work) {
    if (team.isHeldByCurrentThread() || Thread.currentThread() instanceof Helper) {
      throw new IllegalStateException("a part of a job may not start another job");
    }
    if (parts <= 1 || helpers.length == 0 || closed || !team.tryLock()) {
      for (int part = 0; part < parts; part++) {
        work.run(part, 0);
      }
      return;
    }
    try {
      Job mine = new Job(parts, work);
      job = mine;
      for (int i = 0; i < helpers.length && i < parts - 1; i++) {
        helpers[i].wake();
      }
      mine.claim(0);
      mine.await();
      job = null;
      mine.rethrow();
    } finally {
      team.unlock();
    }
  }

  /**
   * Splits {@code items} into at most {@code parts} ranges of nearly equal size: range {@code part}
   * starts here.
   */
  public static int rangeStart(int items, int parts, int part) {
    return (int) ((long) items * part / parts);
  }

  /** Ends the helper threads; later jobs run on their caller alone. */
  @Override
  public void close() {
    closed = true;
    for (Helper helper : helpers) {
      LockSupport.unpark(helper);
    }
  }

  /** One call's parts, and how far they are. */
  private static final class Job {

    private final int parts;
    private final Work work;
    private final AtomicInteger next = new AtomicInteger();
    private final AtomicInteger done = new AtomicInteger();
    private final AtomicReference<Throwable> failure = new AtomicReference<>();

    Job(int parts, Work work) {
      this.parts = parts;
      this.work = work;
    }

    void claim(int worker) {
      for (int part = next.getAndIncrement(); part < parts; part = next.getAndIncrement()) {
        try {
          if (failure.get() == null) {
            work.run(part, worker);
          }
        } catch (Throwable thrown) {
          failure.compareAndSet(null, thrown);
        } finally {
          done.incrementAndGet();
        }
      }
    }

    void await() {
      for (int spins = 0; done.get() < parts; spins++) {
        if (spins < YIELD_AFTER) {
          Thread.onSpinWait();
        } else {
          Thread.yield();
        }
      }
    }

    void rethrow() {
      Throwable thrown = failure.get();
      if (thrown == null) {
        return;
      }
      switch (thrown) {
        case RuntimeException e -> throw e;
        case Error e -> throw e;
        case Throwable e -> throw new IllegalStateException(e);
      }
    }
  }

  private final class Helper extends Thread {

    private final int worker;
    private volatile boolean parked;

    Helper(int worker) {
      super("apus-worker-" + worker);
      this.worker = worker;
      setDaemon(true);
    }

    void wake() {
      if (parked) {
        LockSupport.unpark(this);
      }
    }

    @Override
    public void run() {
      Job last = null;
      while (!closed) {
        Job current = next(last);
        if (current != null) {
          current.claim(worker);
          last = current;
        }
      }
    }

    /**
     * The next job that is not {@code last}; null when the wait was interrupted or the team closed.
     */
    private Job next(Job last) {
      long start = System.nanoTime();
      Job current = job;
      while (current == null || current == last) {
        if (closed) {
          return null;
        }
        if (System.nanoTime() - start > SPIN_NANOS) {
          return park(last);
        }
        Thread.onSpinWait();
        current = job;
      }
      return current;
    }

    private Job park(Job last) {
      parked = true;
      try {
        Job current = job;
        if ((current == null || current == last) && !closed) {
          LockSupport.park(Workers.this);
          // Parking returns at once for as long as a thread counts as interrupted.
          Thread.interrupted();
        }
        current = job;
        return current == last ? null : current;
      } finally {
        parked = false;
      }
    }
  }
}
