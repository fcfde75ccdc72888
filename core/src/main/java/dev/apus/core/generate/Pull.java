package dev.apus.core.generate;

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
 * Something that is computed piece by piece as it is pulled: as an iterator, as a {@link #stream},
 * or by a callback through {@link #forEachRemaining}. Every piece is handed out once, in order, on
 * the thread that pulls.
 *
 * <p>One thread at a time may pull; {@link #cancel} and {@link #close} may come from any thread. An
 * interrupt of the pulling thread cancels as well, and stays set. When computing or a callback
 * fails, everything goes back to where it was.
 *
 * @param <T> a piece
 */
public abstract class Pull<T> implements Iterator<T>, AutoCloseable {

  private final String name;
  private final String piece;
  private final AtomicBoolean busy = new AtomicBoolean();
  private final BooleanSupplier cancellation = this::isCancelled;

  private volatile boolean cancelled;
  private volatile Thread thread;
  private volatile StopReason stopReason;
  private int computed;
  private T ready;

  /**
   * @param name what this is, in messages
   * @param piece what a piece is
   */
  protected Pull(String name, String piece) {
    this.name = name;
    this.piece = piece;
  }

  /**
   * Prepares for computing a piece; {@link #after} is called when it has been computed, or not, but
   * only if this gives null.
   *
   * @return why there is no further piece, or null
   * @throws IllegalStateException if it cannot be done now, or never, because something else has
   *     changed what this works on; it is {@linkplain #end ended} then
   */
  protected abstract StopReason before();

  /**
   * Computes a piece, and says by {@link #end} if it is the last.
   *
   * @param cancellation to be asked often
   * @throws CancellationException if that said so
   */
  protected abstract T compute(BooleanSupplier cancellation);

  /** Ends what {@link #before} has begun. */
  protected abstract void after();

  /** Goes back to where everything was, because something failed. */
  protected abstract void undo();

  /** It has ended, for this reason; not called if it failed. */
  protected void ended(StopReason reason) {}

  /** It has ended, and all pieces were taken. */
  protected void release() {}

  /**
   * Whether there is another piece; computes it, if it has not been computed.
   *
   * @throws GenerationException if computing failed
   * @throws IllegalStateException if called from a callback of this object, while another thread
   *     pulls, or after something else changed what it works on
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
   * The next piece.
   *
   * @throws NoSuchElementException after the last
   * @throws GenerationException as {@link #hasNext}
   */
  @Override
  public T next() {
    enter();
    try {
      if (!prepare()) {
        throw new NoSuchElementException("the " + name + " has ended: " + stopReason);
      }
      return take();
    } finally {
      leave();
    }
  }

  /**
   * Hands every piece to the callback as soon as it is there.
   *
   * @throws GenerationException as {@link #hasNext}, and with the callback's exception as its cause
   *     if that fails
   */
  @Override
  public void forEachRemaining(Consumer<? super T> callback) {
    while (advance(callback)) {
      // Each advance hands over one piece.
    }
  }

  /**
   * The pieces that are left, as a sequential stream. It computes a piece when it needs one, so a
   * short-circuiting operation ends the work; closing it closes this. Exceptions of the operations
   * count as a callback's.
   */
  public Stream<T> stream() {
    return StreamSupport.stream(new Pieces(), false).onClose(this::close);
  }

  /**
   * Ends it at the next piece or, if one is being computed, within it. A piece that {@link
   * #hasNext} has promised is still handed out.
   */
  public void cancel() {
    cancelled = true;
  }

  /** Cancels it, unless it has ended, and lets go of what it keeps. */
  @Override
  public void close() {
    cancel();
    if (busy.compareAndSet(false, true)) {
      try {
        ready = null;
        end(StopReason.CANCELLED);
      } finally {
        leave();
      }
    }
  }

  /** Why it ended; empty until the last piece has been computed. */
  public Optional<StopReason> stopReason() {
    return Optional.ofNullable(stopReason);
  }

  /** Whether a piece is being computed, or taken by a callback. */
  public boolean isBusy() {
    return busy.get();
  }

  /** Ends it, if it has not ended. */
  protected final void end(StopReason reason) {
    if (stopReason == null) {
      stopReason = reason;
      if (reason != StopReason.FAILED) {
        ended(reason);
      }
    }
  }

  private boolean advance(Consumer<? super T> callback) {
    enter();
    try {
      if (!prepare()) {
        return false;
      }
      try {
        callback.accept(take());
      } catch (RuntimeException | Error e) {
        throw failure("the callback failed at " + piece + " " + computed, e);
      }
      return true;
    } finally {
      leave();
    }
  }

  private T take() {
    T taken = ready;
    ready = null;
    return taken;
  }

  /** Sees to it that a piece is ready; false if it has ended. */
  private boolean prepare() {
    if (ready != null || stopReason != null) {
      return ready != null;
    }
    StopReason over = isCancelled() ? StopReason.CANCELLED : before();
    if (over != null) {
      end(over);
      return false;
    }
    try {
      ready = compute(cancellation);
      computed++;
      return true;
    } catch (CancellationException e) {
      if (isCancelled()) {
        end(StopReason.CANCELLED);
        return false;
      }
      throw failure(piece + " " + (computed + 1) + " was cancelled by the model", e);
    } catch (RuntimeException | Error e) {
      throw failure(piece + " " + (computed + 1) + " could not be computed", e);
    } finally {
      after();
    }
  }

  private GenerationException failure(String what, Throwable cause) {
    String why = cause instanceof GenerationException ? cause.getMessage() : cause.toString();
    GenerationException failure = new GenerationException(what + ": " + why, cause);
    try {
      undo();
    } catch (RuntimeException | Error e) {
      failure.addSuppressed(e);
    }
    stopReason = StopReason.FAILED;
    return failure;
  }

  private boolean isCancelled() {
    return cancelled || thread.isInterrupted();
  }

  private void enter() {
    if (!busy.compareAndSet(false, true)) {
      throw new IllegalStateException(
          "the " + name + " is in use, by another thread or by the callback that called it");
    }
    thread = Thread.currentThread();
  }

  private void leave() {
    if (stopReason != null && ready == null) {
      release();
    }
    busy.set(false);
  }

  /** Pulls one piece for each request and never splits, so that even a parallel stream is not. */
  private final class Pieces extends Spliterators.AbstractSpliterator<T> {

    Pieces() {
      super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL);
    }

    @Override
    public boolean tryAdvance(Consumer<? super T> action) {
      return advance(action);
    }

    @Override
    public Spliterator<T> trySplit() {
      return null;
    }
  }
}
