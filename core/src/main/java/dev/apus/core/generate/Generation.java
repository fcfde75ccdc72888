package dev.apus.core.generate;

import dev.apus.core.tokenizer.TextDecoder;
import java.time.Duration;
import java.util.BitSet;
import java.util.Iterator;
import java.util.NoSuchElementException;
import java.util.Optional;
import java.util.Set;
import java.util.Spliterator;
import java.util.Spliterators;
import java.util.concurrent.CancellationException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.LongSupplier;
import java.util.stream.Stream;
import java.util.stream.StreamSupport;

/**
 * One continuation of a sequence, computed as it is pulled: as an iterator, as a {@link #stream},
 * or by a callback through {@link #forEachRemaining}. Every token is handed out once, in order, on
 * the thread that pulls.
 *
 * <p>What the source holds is its tokens before, the prompt, and every token chosen, except one
 * that ends the text ({@link StopReason#END_OF_TEXT}, {@link StopReason#STOP_TOKEN}). That is so at
 * any time and however the generation ends, with one exception: when the model, a processor or a
 * callback fails, the source goes back to where it was before the prompt.
 *
 * <p>One thread at a time may pull; {@link #cancel} and {@link #close} may come from any thread. An
 * interrupt of the pulling thread cancels as well, and stays set.
 */
public final class Generation implements Iterator<Token>, AutoCloseable {

  private final TokenSource source;
  private final TextDecoder decoder;
  private final Sampling sampling;
  private final Sampler sampler;
  private final Constraint.Follower follower;
  private final StopTexts stopTexts;
  private final BitSet endTokens;
  private final BitSet stopTokens;
  private final Stopwatch stopwatch;
  private final TokenSource.Mark mark;
  private final int promptTokens;
  private final int reusedBefore;
  private final int[] single = new int[1];
  private final AtomicBoolean busy = new AtomicBoolean();
  private final BooleanSupplier cancellation = this::isCancelled;

  private volatile boolean cancelled;
  private volatile Thread thread;
  private volatile StopReason stopReason;
  private int expectedLength;
  private int generatedTokens;
  private Token ready;

  /**
   * Appends the prompt to the source; computes nothing yet.
   *
   * @param decoder as new; turns the chosen tokens into text
   * @param endTokens with which the model ends a text
   * @param prompt may be empty if the source holds tokens already
   * @throws IllegalArgumentException if the source cannot take the prompt, there is nothing to
   *     continue, or a stop token is not in the vocabulary; the source is then as it was
   */
  public Generation(
      TokenSource source,
      TextDecoder decoder,
      Set<Integer> endTokens,
      int[] prompt,
      Sampling sampling) {
    this(source, decoder, endTokens, prompt, sampling, null, System::nanoTime);
  }

  /**
   * Appends the prompt to the source, to continue it by a text that is constrained.
   *
   * @param follower of the sampling's constraint, as new; null if there is none
   * @throws IllegalArgumentException also if one of the two is there alone
   */
  public Generation(
      TokenSource source,
      TextDecoder decoder,
      Set<Integer> endTokens,
      int[] prompt,
      Sampling sampling,
      Constraint.Follower follower) {
    this(source, decoder, endTokens, prompt, sampling, follower, System::nanoTime);
  }

  Generation(
      TokenSource source,
      TextDecoder decoder,
      Set<Integer> endTokens,
      int[] prompt,
      Sampling sampling,
      Constraint.Follower follower,
      LongSupplier nanos) {
    this.source = source;
    this.decoder = decoder;
    this.sampling = sampling;
    if (prompt.length == 0 && source.length() == 0) {
      throw new IllegalArgumentException(
          "the prompt is empty and so is the sequence; there is nothing to continue");
    }
    if ((follower == null) != (sampling.constraint() == null)) {
      throw new IllegalArgumentException("needed: a constraint and what follows it, or neither");
    }
    this.endTokens = TokenHistory.ids("endTokens", endTokens, source.vocabulary());
    stopTokens = TokenHistory.ids("stopTokens", sampling.stopTokens(), source.vocabulary());
    stopTexts = new StopTexts(sampling.stopTexts());
    this.follower = follower;
    sampler = new Sampler(sampling, source.vocabulary(), prompt, follower);
    stopwatch = new Stopwatch(nanos);
    promptTokens = prompt.length;
    reusedBefore = source.reusedTokens();
    mark = source.mark();
    try {
      source.append(prompt);
    } catch (RuntimeException | Error e) {
      mark.close();
      throw e;
    }
    expectedLength = source.length();
  }

  /**
   * Whether there is another token; computes it, if it has not been computed.
   *
   * @throws GenerationException if the model, its logits or a processor failed
   * @throws IllegalStateException if called from a callback of this generation, while another
   *     thread pulls, or after something else changed the source
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
   * The next token.
   *
   * @throws NoSuchElementException after the last
   * @throws GenerationException as {@link #hasNext}
   */
  @Override
  public Token next() {
    enter();
    try {
      if (!prepare()) {
        throw new NoSuchElementException("the generation has ended: " + stopReason);
      }
      return take();
    } finally {
      leave();
    }
  }

  /**
   * Hands every token to the callback as soon as it is chosen.
   *
   * @throws GenerationException as {@link #hasNext}, and with the callback's exception as its cause
   *     if that fails
   */
  @Override
  public void forEachRemaining(Consumer<? super Token> callback) {
    while (advance(callback)) {
      // Each advance hands over one token.
    }
  }

  /**
   * The tokens that are left, as a sequential stream. It computes a token when it needs one, so a
   * short-circuiting operation ends the work; closing it closes the generation. Exceptions of the
   * operations count as a callback's.
   */
  public Stream<Token> stream() {
    return StreamSupport.stream(new Tokens(), false).onClose(this::close);
  }

  /**
   * Ends the generation at the next token or, if one is being computed, within it. A token that
   * {@link #hasNext} has promised is still handed out; text held back is not.
   */
  public void cancel() {
    cancelled = true;
  }

  /** Cancels the generation, unless it has ended, and lets go of what it keeps. */
  @Override
  public void close() {
    cancel();
    if (busy.compareAndSet(false, true)) {
      try {
        ready = null;
        finish(StopReason.CANCELLED);
      } finally {
        leave();
      }
    }
  }

  /** Why the generation ended; empty until the last token has been chosen. */
  public Optional<StopReason> stopReason() {
    return Optional.ofNullable(stopReason);
  }

  /** Whether a step or a callback is under way: the source then belongs to this generation. */
  public boolean isBusy() {
    return busy.get();
  }

  /** What the generation took so far; to be asked on the thread that pulls. */
  public Usage usage() {
    return new Usage(
        promptTokens,
        Math.min(promptTokens, Math.max(0, source.reusedTokens() - reusedBefore)),
        Duration.ofNanos(stopwatch.promptNanos()),
        generatedTokens,
        Duration.ofNanos(stopwatch.generationNanos()));
  }

  private boolean advance(Consumer<? super Token> callback) {
    enter();
    try {
      if (!prepare()) {
        return false;
      }
      hand(take(), callback);
      return true;
    } finally {
      leave();
    }
  }

  private void hand(Token token, Consumer<? super Token> callback) {
    try {
      callback.accept(token);
    } catch (RuntimeException | Error e) {
      throw failure("the callback failed at token " + generatedTokens, e);
    }
  }

  private Token take() {
    Token token = ready;
    ready = null;
    return token;
  }

  /** Sees to it that a token is ready; false if the generation has ended. */
  private boolean prepare() {
    if (ready != null || stopReason != null) {
      return ready != null;
    }
    if (isCancelled()) {
      return finish(StopReason.CANCELLED);
    }
    if (source.length() != expectedLength) {
      finish(StopReason.FAILED);
      throw new IllegalStateException(
          "the sequence holds "
              + source.length()
              + " tokens instead of "
              + expectedLength
              + ": it was changed while it was being continued");
    }
    if (follower != null && follower.isFinished()) {
      return finish(StopReason.COMPLETE);
    }
    if (source.length() >= source.limit()) {
      return finish(cut(StopReason.CONTEXT_FULL));
    }
    stopwatch.start();
    try {
      ready = step();
      return true;
    } catch (CancellationException e) {
      if (isCancelled()) {
        return finish(StopReason.CANCELLED);
      }
      throw failure("token " + (generatedTokens + 1) + " was cancelled by the source", e);
    } catch (RuntimeException | Error e) {
      throw failure("token " + (generatedTokens + 1) + " could not be generated", e);
    } finally {
      stopwatch.stop(generatedTokens);
    }
  }

  private Token step() {
    int id = sampler.choose(source.logits(cancellation));
    generatedTokens++;
    String text = textUpTo(id);
    return new Token(id, text, sampler.logProbability(), sampler.topProbabilities());
  }

  /** Decides whether token {@code id} is the last, and returns the text that is certain with it. */
  private String textUpTo(int id) {
    if (endTokens.get(id)) {
      return lastText("", StopReason.END_OF_TEXT);
    }
    if (stopTokens.get(id)) {
      return lastText("", StopReason.STOP_TOKEN);
    }
    single[0] = id;
    source.append(single);
    expectedLength++;
    String text = stopTexts.append(decoder.append(id));
    if (stopTexts.found()) {
      finish(StopReason.STOP_TEXT);
      return text;
    }
    if (follower != null && follower.isFinished()) {
      return lastText(text, StopReason.COMPLETE);
    }
    if (generatedTokens == sampling.maxTokens()) {
      return lastText(text, cut(StopReason.MAX_TOKENS));
    }
    return source.length() < source.limit() ? text : lastText(text, cut(StopReason.CONTEXT_FULL));
  }

  /** Why a text was cut that could have gone on. */
  private StopReason cut(StopReason reason) {
    return follower == null || follower.isComplete() ? reason : StopReason.INCOMPLETE;
  }

  private String lastText(String text, StopReason reason) {
    String rest = stopTexts.append(decoder.flush());
    String last = text + rest + stopTexts.flush();
    finish(stopTexts.found() ? StopReason.STOP_TEXT : reason);
    return last;
  }

  /** Ends the generation, if it has not ended; returns false, because no token is ready. */
  private boolean finish(StopReason reason) {
    if (stopReason == null) {
      stopReason = reason;
      if (reason != StopReason.FAILED) {
        source.settle();
      }
    }
    return false;
  }

  private GenerationException failure(String what, Throwable cause) {
    String why = cause instanceof GenerationException ? cause.getMessage() : cause.toString();
    GenerationException failure = new GenerationException(what + ": " + why, cause);
    try {
      mark.rewind();
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
          "the generation is in use, by another thread or by the callback that called it");
    }
    thread = Thread.currentThread();
  }

  private void leave() {
    if (stopReason != null && ready == null) {
      mark.close();
    }
    busy.set(false);
  }

  /** Pulls one token for each request and never splits, so that even a parallel stream is not. */
  private final class Tokens extends Spliterators.AbstractSpliterator<Token> {

    Tokens() {
      super(Long.MAX_VALUE, Spliterator.ORDERED | Spliterator.NONNULL);
    }

    @Override
    public boolean tryAdvance(Consumer<? super Token> action) {
      return advance(action);
    }

    @Override
    public Spliterator<Token> trySplit() {
      return null;
    }
  }
}
