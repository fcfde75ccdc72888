package dev.apus.diffusion;

import dev.apus.core.generate.Pull;
import dev.apus.core.generate.StopReason;
import java.time.Duration;
import java.util.BitSet;
import java.util.function.BooleanSupplier;

/**
 * The gaps of one canvas being filled, evaluation by evaluation, as drafts are pulled.
 *
 * <p>After each draft the canvas holds what the draft shows, and however denoising ends, it may be
 * denoised further. With one exception: when the model, a rule or a callback fails, the canvas goes
 * back to what it held before. A text ends before the first token that ends texts, if that stands
 * after everything that was given. It ends with {@link StopReason#MAX_TOKENS} if everything is
 * filled.
 */
public final class Denoising extends Pull<Draft> {

  private final Canvas canvas;
  private final int[] tokensBefore;
  private final BitSet openBefore;
  private final Filling filling;

  private int[] published;
  private long since;
  private long nanos;

  Denoising(Canvas canvas, Recipe recipe) {
    this(canvas, recipe, null);
  }

  /**
   * @param truth the tokens that positions are to get, whatever the model says; or null
   */
  Denoising(Canvas canvas, Recipe recipe, int[] truth) {
    super("denoising", "evaluation");
    this.canvas = canvas;
    tokensBefore = canvas.held();
    openBefore = (BitSet) canvas.open().clone();
    published = tokensBefore;
    filling = new Filling(canvas, recipe, truth);
  }

  /** Computes everything that is left, and returns the last draft. */
  public Draft finish() {
    Draft last = canvas.draft();
    while (hasNext()) {
      last = next();
    }
    return last;
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

  @Override
  protected StopReason before() {
    canvas.enter();
    if (!canvas.holds(published)) {
      canvas.leave();
      end(StopReason.FAILED);
      throw new IllegalStateException("the canvas was changed while it was being denoised");
    }
    since = System.nanoTime();
    return null;
  }

  @Override
  protected Draft compute(BooleanSupplier cancellation) {
    Draft draft = filling.evaluate(cancellation);
    published = filling.tokens();
    canvas.become(published, filling.noisy());
    if (filling.ended() != null) {
      end(filling.ended());
      canvas.ended();
    }
    return draft;
  }

  @Override
  protected void after() {
    nanos += System.nanoTime() - since;
    canvas.leave();
  }

  @Override
  protected void undo() {
    canvas.become(tokensBefore, openBefore);
    canvas.forget();
  }
}
