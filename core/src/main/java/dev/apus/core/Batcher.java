package dev.apus.core;

import dev.apus.core.compute.Pass;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.Sampling;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Queue;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Continues many texts together: each pass takes a row of every session that generates, and pieces
 * of the prompts of those that begin, so that the weights are read once for all of them.
 *
 * <pre>{@code
 * try (Batcher batcher = new Batcher(model)) {
 *   Reply one = batcher.submit("Once upon a time", Sampling.greedy(), 512);
 *   Reply two = batcher.submit(session, "And then?", Sampling.greedy());
 *   one.stream().forEach(token -> System.out.print(token.text()));
 * }
 * }</pre>
 *
 * <p>Any thread may submit. Texts come and go between passes. Each gets the bits that it gets
 * alone, whatever else is computed: prompts are cut only where no cut shows. It is fair: of each
 * pass, at least a quarter is kept for prompts, the rest goes to sessions that generate; prompts
 * share what is left, so that a short one is not held up by a long one; and whoever got nothing in
 * a pass comes first in the next. A text that fails ends with its own exception and harms no other.
 */
public final class Batcher implements AutoCloseable {

  private static final Logger LOG = LoggerFactory.getLogger(Batcher.class);

  /** Smaller pieces of prompts would not be worth a run. */
  private static final int LEAST_PIECE = 32;

  /** The part of a pass that prompts get, if there are any. */
  private static final int PROMPTS_PART = 4;

  private final Model model;
  private final BatchLimits limits;
  private final int rows;
  private final Pass pass;
  private final Thread thread;
  private final ReentrantLock lock = new ReentrantLock();
  private final Condition submitted = lock.newCondition();
  private final Queue<BatchWork> waiting = new ArrayDeque<>();
  private final Set<Session> lent = ConcurrentHashMap.newKeySet();
  private volatile boolean closed;

  /** Held while sessions compute; those who wait for it get it between two passes. */
  private final ReentrantLock computing = new ReentrantLock(true);

  private List<BatchWork> active = new ArrayList<>();

  /** A batcher with {@linkplain BatchLimits#standard() standard} limits. */
  public Batcher(Model model) {
    this(model, BatchLimits.standard());
  }

  public Batcher(Model model, BatchLimits limits) {
    this.model = model;
    this.limits = limits;
    long least = (long) PROMPTS_PART * model.grain();
    this.rows = (int) Math.min(Integer.MAX_VALUE, Math.max(limits.rows(), least));
    this.pass = model.newPass();
    this.thread = Thread.ofPlatform().name("apus-batcher").daemon().start(this::run);
  }

  /**
   * Begins a text of its own, whose memory is given back when it ends.
   *
   * @param limit the most tokens that it may have, the prompt included
   * @throws RejectedExecutionException if too many wait
   * @throws IllegalStateException if the batcher is closed
   */
  public Reply submit(int[] prompt, Sampling sampling, int limit) {
    return submit(new BatchWork(model, null, prompt, sampling, limit, lent));
  }

  /** Begins a text of its own, like {@link #submit(int[], Sampling, int)}. */
  public Reply submit(String prompt, Sampling sampling, int limit) {
    return submit(model.tokenizer().encode(prompt, true, false), sampling, limit);
  }

  /**
   * Continues a session, which belongs to the batcher until the reply has ended.
   *
   * @throws IllegalArgumentException if the session is of another model, or the prompt does not fit
   *     into it
   * @throws RejectedExecutionException if too many wait
   * @throws IllegalStateException if the batcher is closed, or has the session already
   */
  public Reply submit(Session session, int[] prompt, Sampling sampling) {
    if (session.model() != model) {
      throw new IllegalArgumentException("the session belongs to another model");
    }
    return submit(new BatchWork(model, session, prompt, sampling, 0, lent));
  }

  /** Continues a session, like {@link #submit(Session, int[], Sampling)}. */
  public Reply submit(Session session, String prompt, Sampling sampling) {
    return submit(session, session.encode(prompt), sampling);
  }

  private Reply submit(BatchWork work) {
    lock.lock();
    try {
      if (closed) {
        throw new IllegalStateException("the batcher is closed");
      }
      if (waiting.size() >= limits.waiting()) {
        throw new RejectedExecutionException(
            waiting.size() + " continuations wait, as many as may; try again later");
      }
      if (work.lent() != null) {
        if (lent.contains(work.lent())) {
          throw new IllegalStateException("the session is being continued already");
        }
        work.prepare();
        lent.add(work.lent());
      }
      waiting.add(work);
      submitted.signal();
      return work.reply();
    } finally {
      lock.unlock();
    }
  }

  /** How many texts are computed or wait. */
  public int size() {
    computing.lock();
    lock.lock();
    try {
      return active.size() + waiting.size();
    } finally {
      lock.unlock();
      computing.unlock();
    }
  }

  /** Memory that the sessions take which are computed now; waits for the pass that is under way. */
  public long bytes() {
    computing.lock();
    try {
      return active.stream().mapToLong(BatchWork::bytes).sum();
    } finally {
      computing.unlock();
    }
  }

  private void run() {
    try {
      while (awaitWork()) {
        computing.lock();
        try {
          admit();
          step();
          active.removeIf(BatchWork::hasEnded);
        } finally {
          computing.unlock();
        }
      }
    } catch (RuntimeException | Error e) {
      LOG.error("the batcher fails, and with it all that it computes", e);
      closed = true;
      active.forEach(work -> work.fail(new GenerationException("the batcher failed", e)));
    } finally {
      end();
    }
  }

  /** Waits until there is something to do; false if the batcher is closed. */
  private boolean awaitWork() {
    lock.lock();
    try {
      while (!closed && active.isEmpty() && waiting.isEmpty()) {
        submitted.awaitUninterruptibly();
      }
      return !closed;
    } finally {
      lock.unlock();
    }
  }

  private void admit() {
    List<BatchWork> admitted = new ArrayList<>();
    List<BatchWork> cancelled = new ArrayList<>();
    lock.lock();
    try {
      waiting.removeIf(work -> work.reply().isCancelled() && cancelled.add(work));
      while (active.size() + admitted.size() < limits.sessions() && !waiting.isEmpty()) {
        admitted.add(waiting.remove());
      }
    } finally {
      lock.unlock();
    }
    cancelled.forEach(BatchWork::cancel);
    active.addAll(cancelled);
    admitted.forEach(BatchWork::admit);
    active.addAll(admitted);
  }

  /** Computes one pass, and chooses the tokens whose logits are then known. */
  private void step() {
    active.forEach(BatchWork::checkCancelled);
    List<BatchWork> entered = new ArrayList<>();
    List<BatchWork> served = new ArrayList<>();
    boolean failed;
    try {
      for (BatchWork work : active) {
        if (!work.hasEnded() && work.enter()) {
          entered.add(work);
        }
      }
      failed = !compute(entered, served);
    } finally {
      entered.forEach(BatchWork::leave);
    }
    if (failed && !closed) {
      served.forEach(BatchWork::choose);
    } else if (!failed) {
      List<BatchWork> known = entered.stream().filter(work -> !work.sequence().isDue()).toList();
      pass.workers().run(known.size(), (part, worker) -> known.get(part).choose());
    }
  }

  /**
   * Computes a pass.
   *
   * @param served receives those that are part of it
   * @return false if it failed: each of them then has to show alone whether it is its fault
   */
  private boolean compute(List<BatchWork> entered, List<BatchWork> served) {
    Step step = new Step(model);
    plan(entered, step, served);
    active.removeAll(new HashSet<>(served));
    active.addAll(served);
    if (step.isEmpty()) {
      return true;
    }
    try {
      step.run(pass, () -> closed);
      return true;
    } catch (RuntimeException | Error e) {
      LOG.debug("a pass of {} sessions failed; each is tried alone", served.size(), e);
      return false;
    }
  }

  /** Fills a pass: those that generate first, then pieces of prompts. */
  private void plan(List<BatchWork> entered, Step step, List<BatchWork> served) {
    List<BatchWork> prompts = new ArrayList<>();
    List<BatchWork> single = new ArrayList<>();
    for (BatchWork work : entered) {
      if (work.sequence().isDue()) {
        (work.sequence().due() == 1 ? single : prompts).add(work);
      }
    }
    boolean unbounded = rows == Integer.MAX_VALUE;
    int kept = prompts.isEmpty() || unbounded ? 0 : Math.max(model.grain(), rows / PROMPTS_PART);
    for (BatchWork work : single) {
      if (step.rows() < rows - kept) {
        step.add(work.sequence(), 1);
        served.add(work);
      }
    }
    int left = prompts.size();
    for (BatchWork work : prompts) {
      int room = rows - step.rows();
      int least = Math.max(LEAST_PIECE, model.grain());
      int count = work.sequence().piece(Math.min(room, Math.max(least, room / left--)));
      if (count > 0) {
        step.add(work.sequence(), count);
        served.add(work);
      }
    }
  }

  private void end() {
    List<BatchWork> left = new ArrayList<>(active);
    lock.lock();
    try {
      left.addAll(waiting);
      waiting.clear();
    } finally {
      lock.unlock();
    }
    computing.lock();
    try {
      active.clear();
    } finally {
      computing.unlock();
    }
    left.forEach(BatchWork::cancel);
  }

  /** Cancels what is computed or waits, and returns when all of it has ended. */
  @Override
  public void close() {
    lock.lock();
    try {
      closed = true;
      submitted.signal();
    } finally {
      lock.unlock();
    }
    boolean interrupted = false;
    while (thread.isAlive() && thread != Thread.currentThread()) {
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
