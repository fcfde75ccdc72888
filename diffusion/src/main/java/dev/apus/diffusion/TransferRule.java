package dev.apus.diffusion;

import dev.apus.core.model.Diffusion;
import java.util.function.DoubleSupplier;

/**
 * Which positions a step fixes, and with which tokens. What it leaves alone stays noisy.
 *
 * <p>Several rules are published for one model, and any of them goes with any cache. A rule is
 * asked after each evaluation, and has no state of its own. Where it decides nothing, and the model
 * is told neither the time nor what it last said, the model would say the same again and is not
 * asked: the rule is, with the next step and the same proposals. Rules that revise are asked once.
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

  /**
   * The time of a step, for models that are told how noisy a text is: by itself the share of the
   * positions that are noisy.
   *
   * @param before what is known of the step, with the time of the one before
   * @param random numbers in [0, 1), from the seed
   */
  default double time(Progress before, DoubleSupplier random) {
    return (double) before.left() / before.atStart();
  }

  /**
   * What makes weights of a model's scores at a step: by itself those of tokens without noise. Null
   * for a model that gives logits of these.
   *
   * @param now the step, with its time
   * @throws IllegalArgumentException if the rule needs scores, and the model gives none
   */
  default Posterior posterior(Diffusion of, Progress now) {
    return of.output().isScore() ? Posterior.denoised(of, of.levels().at(now.time())) : null;
  }
}
