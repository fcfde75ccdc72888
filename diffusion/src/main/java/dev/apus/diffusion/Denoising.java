package dev.apus.diffusion;

import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.SplitMix;
import dev.apus.core.generate.StopReason;
import dev.apus.core.model.Diffusion.Noise;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Comparator;
import java.util.Iterator;
import java.util.List;
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
  private final Recipe recipe;
  private final int[] tokensBefore;
  private final BitSet openBefore;
  private final Ending ending;
  private final Proposer proposer;
  private final SplitMix random;
  private final List<Window> windows;
  private final BitSet given;
  private final double[] probabilities;
  private final AtomicBoolean busy = new AtomicBoolean();
  private final BooleanSupplier cancellation = this::isCancelled;

  private int[] tokens;
  private int[] published;
  private BitSet noisy;
  private BitSet changed = new BitSet();
  private Passes passes;
  private int evaluationsBefore;
  private long rowsBefore;
  private int evaluations;
  private long rows;
  private int next;
  private int step;
  private int evaluation;
  private int atStart;
  private int edits;
  private int fixed;
  private double logLikelihood;
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
    this.recipe = recipe;
    tokensBefore = canvas.held();
    openBefore = (BitSet) canvas.open().clone();
    published = tokensBefore;
    noisy = (BitSet) openBefore.clone();
    tokens = noisy.isEmpty() ? withGap() : tokensBefore.clone();
    random = new SplitMix(recipe.sampling().seed());
    if (canvas.diffusion().noise() == Noise.UNIFORM && recipe.guidance() != 0) {
      throw new IllegalArgumentException("guidance needs a mask, and the noise is uniform");
    }
    given = (BitSet) noisy.clone();
    given.flip(0, tokens.length);
    probabilities = new double[tokens.length];
    windows = Window.of(noisy, recipe, canvas.diffusion().block());
    noisy.stream().forEach(i -> tokens[i] = noise());
    ending = Ending.of(canvas, recipe.sampling(), given, tokens.length, truth != null);
    proposer = ending.proposer(canvas, recipe.sampling(), truth);
    begin();
  }

  private int[] withGap() {
    int room = Math.min(recipe.sampling().maxTokens(), canvas.limit() - canvas.length());
    if (room == 0) {
      throw new IllegalArgumentException(
          "the canvas holds " + canvas.length() + " tokens, has no gap and no room for one");
    }
    int[] all = Arrays.copyOf(tokensBefore, tokensBefore.length + room);
    noisy.set(tokensBefore.length, all.length);
    return all;
  }

  /** A token of noise. */
  private int noise() {
    int mask = canvas.diffusion().mask();
    int vocabulary = canvas.model().architecture().vocabulary();
    return mask >= 0 ? mask : (int) (random.nextDouble() * vocabulary);
  }

  private void begin() {
    Window window = windows.get(next);
    step = 0;
    evaluation = 0;
    edits = 0;
    atStart = noisy.get(window.from(), window.to()).cardinality();
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
    return new Effort(fixed, evaluations, rows, Duration.ofNanos(nanos));
  }

  /** The sum of the logarithms of the probabilities of all tokens that were fixed. */
  double logLikelihood() {
    return logLikelihood;
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
        throw failure("the callback failed after evaluation " + evaluations, e);
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
      if (passes == null) {
        passes = canvas.passes(recipe);
        evaluationsBefore = passes.evaluations();
        rowsBefore = passes.computed();
      }
      ready = evaluate();
      return true;
    } catch (CancellationException e) {
      if (isCancelled()) {
        return end(StopReason.CANCELLED);
      }
      throw failure("evaluation " + (evaluations + 1) + " was cancelled by the model", e);
    } catch (RuntimeException | Error e) {
      if (stopReason != null) {
        throw e;
      }
      throw failure("evaluation " + (evaluations + 1) + " failed", e);
    } finally {
      nanos += System.nanoTime() - from;
      canvas.leave();
    }
  }

  private Draft evaluate() {
    Window window = windows.get(next);
    TransferRule rule = recipe.rule();
    int left = noisy.get(window.from(), window.to()).cardinality();
    while (left > 0 && rule.isIdle(step, window.steps(), atStart, left)) {
      step++;
    }
    passes.evaluate(tokens, given, window, evaluation, noisy, changed, cancellation);
    canvas.seen(tokens);
    evaluations = passes.evaluations() - evaluationsBefore;
    rows = passes.computed() - rowsBefore;
    List<Proposal> noisyOnes = new ArrayList<>();
    List<Proposal> cleanOnes = new ArrayList<>();
    for (Proposal proposal : passes.proposals(asked(window), proposer, ending.tailFrom())) {
      (noisy.get(proposal.position()) ? noisyOnes : cleanOnes).add(proposal);
    }
    Moment moment = new Moment(step, window.steps(), atStart, noisyOnes, fixedIn(window), random);
    if (!noisyOnes.isEmpty()) {
      rule.transfer(moment);
    }
    List<Proposal> changes = new ArrayList<>();
    moment.chosen().forEach(chosen -> changes.add(proposer.told(chosen)));
    int edited = edit(cleanOnes, changes);
    changes.sort(Comparator.comparingInt(Proposal::position));
    apply(moment, changes);
    step++;
    evaluation++;
    edits = noisyOnes.isEmpty() ? edits + 1 : 0;
    boolean settled = recipe.editing() == 0 || edited == 0 || edits >= recipe.editingSteps();
    if (settled && noisy.get(window.from(), window.to()).isEmpty() && ++next < windows.size()) {
      begin();
    }
    return draft(changes);
  }

  /** Positions of a window that proposals are needed for. */
  private int[] asked(Window window) {
    BitSet asked = noisy.get(0, window.to());
    if (recipe.editing() > 0) {
      asked.set(window.from(), window.to());
      asked.andNot(given);
    }
    return asked.stream().filter(i -> i >= window.from()).toArray();
  }

  private List<Moment.Fixed> fixedIn(Window window) {
    List<Moment.Fixed> all = new ArrayList<>();
    for (int i = window.from(); i < window.to(); i++) {
      if (!noisy.get(i) && !given.get(i)) {
        all.add(new Moment.Fixed(i, tokens[i], probabilities[i]));
      }
    }
    return all;
  }

  /** Adds the tokens that the model has become surer of than of those that stand there. */
  private int edit(List<Proposal> clean, List<Proposal> changes) {
    int count = 0;
    for (Proposal proposal : clean) {
      if (proposal.likeliest() != tokens[proposal.position()]
          && proposal.best() >= recipe.editing()) {
        changes.add(proposal.with(proposal.likeliest(), proposal.best()));
        count++;
      }
    }
    return count;
  }

  private void apply(Moment moment, List<Proposal> changes) {
    changed = new BitSet();
    for (Proposal change : changes) {
      int at = change.position();
      if (given.get(at)) {
        throw new IllegalStateException("a rule changed what was given, at position " + at);
      }
      fixed += noisy.get(at) ? 1 : 0;
      tokens[at] = change.token();
      noisy.clear(at);
      changed.set(at);
      probabilities[at] = change.probability();
      logLikelihood += StrictMath.log(Math.max(change.probability(), Double.MIN_NORMAL));
    }
    for (int at : moment.renoised()) {
      fixed -= noisy.get(at) ? 0 : 1;
      noisy.set(at);
      changed.set(at);
    }
    noisy.stream().forEach(i -> tokens[i] = noise());
  }

  private Draft draft(List<Proposal> changes) {
    Ending.Found found = ending.find(tokens, noisy);
    if (found != null) {
      tokens = Arrays.copyOf(tokens, found.length());
      noisy = noisy.get(0, found.length());
    }
    published = tokens.clone();
    canvas.become(published, (BitSet) noisy.clone());
    if (found != null) {
      end(found.reason());
    } else if (next == windows.size()) {
      end(StopReason.MAX_TOKENS);
    }
    List<Proposal> shown =
        changes.stream().filter(change -> change.position() < tokens.length).toList();
    return new Draft(
        evaluations,
        tokens,
        noisy,
        shown,
        canvas.tokenizerOrNull(),
        found == null ? null : found.stop());
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
