package dev.apus.diffusion;

/**
 * Which positions a step fixes, and with which tokens. What it leaves alone stays noisy.
 *
 * <p>Several rules are published for one model, and any of them goes with any cache. A rule is
 * asked after each evaluation, and has no state of its own.
 */
public interface TransferRule {

  /** Decides about the noisy positions of a window. */
  void transfer(Moment moment);

  /**
   * Whether a step would fix nothing, so that the model need not be asked.
   *
   * @param atStart positions of the window that were noisy at its first step
   * @param left positions that are noisy now
   */
  default boolean isIdle(int step, int steps, int atStart, int left) {
    return false;
  }

  /**
   * Whether a step decides about all positions of a window anew, those that were fixed before too,
   * until the rule {@linkplain Moment#finish says} that the window is done.
   */
  default boolean revises() {
    return false;
  }

  /** What logits are divided by at a step, before anything is made of them. */
  default float heat(int step, int steps) {
    return 1;
  }

  /** How many steps a window with so many noisy positions has, if a recipe does not say. */
  default int steps(int noisy) {
    return noisy;
  }
}
