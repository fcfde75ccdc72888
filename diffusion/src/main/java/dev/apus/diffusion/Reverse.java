package dev.apus.diffusion;

import dev.apus.core.model.Diffusion;
import java.util.Locale;
import java.util.function.DoubleSupplier;

/**
 * Every noisy position becomes what the reverse of the noise makes of it, by the scores that the
 * model gives. Where noise is any token, tokens change until the last step; where it leaves masks,
 * a mask stays or becomes a token, which then stands. Times are evenly spaced down to {@link #END};
 * the last step undoes all noise that is left.
 *
 * @param predictor how a step is computed
 * @see <a href="https://arxiv.org/abs/2310.16834">SEDD</a>
 */
public record Reverse(Predictor predictor) implements TransferRule {

  /** The time of the last step, which is not 0, where scores would be infinite. */
  public static final double END = 1e-5;

  /** How a step is computed. */
  public enum Predictor {
    /** {@link Posterior#analytic}. */
    ANALYTIC,
    /** {@link Posterior#euler}. */
    EULER
  }

  @Override
  public void transfer(Moment moment) {
    moment.moveAll(moment.step() >= moment.steps() - 1);
  }

  @Override
  public double time(Progress before, DoubleSupplier random) {
    return before.steps() == 1 ? 1 : Math.max(END, 1 - before.step() * width(before));
  }

  private static double width(Progress now) {
    return (1 - END) / (now.steps() - 1);
  }

  @Override
  public Posterior posterior(Diffusion of, Progress now) {
    if (!of.output().isScore()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "the rule %s needs scores, and the model gives %s; ancestral is the same for these",
              this,
              of.output()));
    }
    double time = now.time();
    if (now.isLast()) {
      return Posterior.denoised(of, of.levels().at(time));
    }
    double width = width(now);
    return predictor == Predictor.EULER
        ? Posterior.euler(of, width * of.levels().rate(time))
        : Posterior.analytic(of, of.levels().at(time) - of.levels().at(time - width));
  }
}
