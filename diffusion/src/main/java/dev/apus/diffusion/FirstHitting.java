package dev.apus.diffusion;

import java.util.function.DoubleSupplier;

/**
 * One position at each step, any of those that are noisy: what the reverse of absorbing noise does
 * in continuous time, without the steps in which nothing happens. Of n noisy positions at time t,
 * the first is hit at {@code t u^(1/n)}, u uniform in (0, 1).
 *
 * @see <a href="https://arxiv.org/abs/2409.02908">Masked Diffusion Models are Secretly
 *     Time-Agnostic Masked Models</a>
 */
public record FirstHitting() implements TransferRule {

  @Override
  public void transfer(Moment moment) {
    int count = moment.noisy().size();
    moment.fix(moment.noisy().get((int) (moment.nextDouble() * count)));
  }

  @Override
  public double time(Progress before, DoubleSupplier random) {
    return before.time() * StrictMath.pow(random.getAsDouble(), 1.0 / before.left());
  }
}
