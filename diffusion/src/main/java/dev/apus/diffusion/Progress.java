package dev.apus.diffusion;

/**
 * How far the denoising of a window has come.
 *
 * @param step which step of the window comes, from 0 on
 * @param steps how many the window is to have
 * @param left positions that are noisy, of those that the window's tokens see
 * @param atStart how many these were at the first step
 * @param time of the step, or of the one before where a rule is asked for the next; from 1, where
 *     all is noise, to 0
 */
public record Progress(int step, int steps, int left, int atStart, double time) {

  /** Whether everything is to be fixed by this step. */
  public boolean isLast() {
    return step >= steps - 1;
  }

  Progress at(double other) {
    return new Progress(step, steps, left, atStart, other);
  }
}
