package dev.apus.diffusion;

import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.StopReason;
import java.time.Duration;
import java.util.BitSet;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * The gaps of one canvas being filled, evaluation by evaluation, as drafts are pulled: as an
 * iterator, as a {@link #stream}, or by a callback through {@link #forEachRemaining}.
 *
 * <p>After each draft the canvas holds what the draft shows, and however denoising ends, it may be
 * denoised further. With one exception: when the model, a rule or a callback fails, the canvas goes
 * back to what it held before. A text ends before the first token that ends texts, if that stands
 * after everything that was given.
 *
 * <p>One thread at a time may pull; {@link #cancel} and {@link #close} may come from any thread. An
 * interrupt of the pulling thread cancels as well, and stays set.
 */
public final class Denoising implements Iterator<Draft>, AutoCloseable {

  private final Canvas canvas;
  private final int[] tokensBefore;
  private final BitSet openBefore;
  private final Filling filling;
  private final AtomicBoolean busy = new AtomicBoolean();
  private final BooleanSupplier cancellation = this::isCancelled;

  private int[] published;
  private long nanos;
  private volatile boolean cancelled;
  private volatile Thread thread;
  private volatile StopReason stopReason;
  private Draft ready;

  Denoising(Canvas canvas, Recipe recipe) {
    this(canvas, recipe, null);
  }

  /**
   * @param truth the tokens that positions are to get, whatever the model says; or null
   */
  Denoising(Canvas canvas, Recipe recipe, int[] truth) {
    this.canvas = canvas;
    tokensBefore = canvas.held();
    openBefore = (BitSet) canvas.open().clone();
    published = tokensBefore;
    filling = new Filling(canvas, recipe, truth);
  }

  /**
   * Whether there is another draft; computes it, if it has not been computed.
   *
   * @throws GenerationException if the model, its logits or a rule failed
   * @throws IllegalStateException if called from a callback of this denoising, while another thread
   *     pulls, or after something else changed the canvas
   */
  @Override
  public boolean hasNext() {
    enter();
    try {
      return prepare();
    } finally {
      leave();
    }
  }

  /**
   * The next draft.
   *
   * @throws NoSuchElementException after the last
   * @throws GenerationException as {@link #hasNext}
   */
  @Override
  public Draft next() {
    enter();
    try {
      if (!prepare()) {
        throw new NoSuchElementException("the denoising has ended: " + stopReason);
      }
      return take();
    } finally {
      leave();
    }
  }

  /**
   * Hands every draft to the callback.
   *
   * @throws GenerationException as {@link #hasNext}, and with the callback's exception as its cause
   *     if that fails
   */
  @Override
  public void forEachRemaining(Consumer<? super Draft> callback) {
    while (advance(callback)) {
      // Each advance hands over one draft.
    }
  }

  /**
   * The drafts that are left, as a sequential stream; closing it closes the denoising. Exceptions
   * of the operations count as a callback's.
   */
  public Stream<Draft> stream() {
    return StreamSupport.stream(new Drafts(), false).onClose(this::close);
  }

  /** Computes everything that is left, and returns the last draft. */
  public Draft finish() {
    Draft last = canvas.draft();
    while (hasNext()) {
      last = next();
    }
    return last;
  }

  /** Ends the denoising at the next draft or, if one is being computed, within it. */
  public void cancel() {
    cancelled = true;
  }

  /** Cancels the denoising, unless it has ended. */
  @Override
  public void close() {
    cancel();
    if (busy.compareAndSet(false, true)) {
      ready = null;
      end(StopReason.CANCELLED);
      leave();
    }
  }

  /**
   * Why it ended; {@link StopReason#MAX_TOKENS} if everything is filled. Empty until the last draft
   * has been computed.
   */
  public Optional<StopReason> stopReason() {
    return Optional.ofNullable(stopReason);
  }

  /** What it took so far; to be asked on the thread that pulls. */
  public Effort effort() {
    return new Effort(
        filling.fixed(), filling.evaluations(), filling.rows(), Duration.ofNanos(nanos));
  }

  /** The sum of the logarithms of the probabilities of all tokens that were fixed. */
  double logLikelihood() {
    return filling.logLikelihood();
  }

  private boolean advance(Consumer<? super Draft> callback) {
    enter();
    try {
      if (!prepare()) {
        return false;
      }
      try {
        callback.accept(take());
        return true;
      } catch (RuntimeException | Error e) {
        throw failure("the callback failed after evaluation " + filling.evaluations(), e);
      }
    } finally {
      leave();
    }
  }

  private Draft take() {
    Draft draft = ready;
    ready = null;
    return draft;
  }

  private boolean prepare() {
    if (ready != null || stopReason != null) {
      return ready != null;
    }
    if (isCancelled()) {
      return end(StopReason.CANCELLED);
    }
    canvas.enter();
    long from = System.nanoTime();
    try {
      if (!canvas.holds(published)) {
        end(StopReason.FAILED);
        throw new IllegalStateException("the canvas was changed while it was being denoised");
      }
      ready = filling.evaluate(cancellation);
      published = filling.tokens();
      canvas.become(published, filling.noisy());
      if (filling.ended() != null) {
        end(filling.ended());
        canvas.ended();
      }
      return true;
    } catch (CancellationException e) {
      if (isCancelled()) {
        return end(StopReason.CANCELLED);
      }
      throw failure("evaluation " + (filling.evaluations() + 1) + " was cancelled by the model", e);
    } catch (RuntimeException | Error e) {
      if (stopReason != null) {
        throw e;
      }
      throw failure("evaluation " + (filling.evaluations() + 1) + " failed", e);
    } finally {
      nanos += System.nanoTime() - from;
      canvas.leave();
    }
  }

  private boolean end(StopReason reason) {
    if (stopReason == null) {
      stopReason = reason;
    }
    return false;
  }

  private GenerationException failure(String what, Throwable cause) {
    String why = cause instanceof GenerationException ? cause.getMessage() : cause.toString();
    canvas.become(tokensBefore, openBefore);
    canvas.forget();
    stopReason = StopReason.FAILED;
    return new GenerationException(what + ": " + why, cause);
  }

  private boolean isCancelled() {
    return cancelled || thread.isInterrupted();
  }

  private void enter() {
    if (!busy.compareAndSet(false, true)) {
      throw new IllegalStateException(
          "the denoising is in use, by another thread or by the callback that called it");
    }
    thread = Thread.currentThread();
  }

  private void leave() {
    busy.set(false);
  }

  /** Pulls one draft for each request and never splits, so that even a parallel stream is not. */
  private final class Drafts extends Spliterators.AbstractSpliterator<Draft> {

    Drafts() {
      super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL);
    }

    @Override
    public boolean tryAdvance(Consumer<? super Draft> action) {
      return advance(action);
    }

    @Override
    public Spliterator<Draft> trySplit() {
      return null;
    }
  }
}
