package dev.apus.diffusion;

import dev.apus.core.config.Config;
import dev.apus.core.generate.Ranges;
import dev.apus.core.model.Diffusion;
import java.util.function.DoubleSupplier;

/**
 * Undoes noise in the vectors of tokens, all of which change at each step; the tokens that are
 * proposed are those of the text after the last one. With γ the level at the time t and γ' that at
 * an earlier one, z a vector and x̂ what the model expects of it:
 *
 * <pre>
 *   ε = (z − α x̂) / (σ τ)                    x = (z − σ ε) / α
 *   ancestral   z' = (1 − c) α'/α z + c α' x + √(c σ'²) n        c = 1 − e^(γ' − γ), n normal
 *   DDIM        z' = α' x + σ' ε
 * </pre>
 *
 * <p>Positions whose tokens were given have the vectors of these as x̂, and τ = 1, so that they are
 * as noisy as the others, and at the end exactly what was given. There are as many steps as times,
 * evenly spaced from 1 to 0, and another evaluation after these; a step of N leads from a time to
 * one that is {@code 1/N} earlier, as in the authors' code.
 *
 * @param predictor how a step is computed
 * @param scoreTemperature τ, by which the noise that the model sees is divided
 * @param initialNoise factor on the noise that vectors are at first
 * @param steps if a recipe does not say
 * @see <a href="https://arxiv.org/abs/2305.18619">Likelihood-Based Diffusion Language Models</a>
 * @see <a href="https://arxiv.org/abs/2107.00630">Variational Diffusion Models</a>
 * @see <a href="https://arxiv.org/abs/2010.02502">Denoising Diffusion Implicit Models</a>
 */
public record Gaussian(Predictor predictor, double scoreTemperature, double initialNoise, int steps)
    implements TransferRule {

  /** What Plaid's authors do. */
  public static final Gaussian STANDARD = new Gaussian(Predictor.ANCESTRAL, 0.9, 1, 4096);

  /** How a step is computed. */
  public enum Predictor {
    /** By drawing from the distribution of the vector at an earlier time. */
    ANCESTRAL,
    /** With the noise that is there. */
    DDIM
  }

  public Gaussian {
    Ranges.require(
        scoreTemperature > 0 && scoreTemperature < 1e6,
        "scoreTemperature",
        scoreTemperature,
        "above 0");
    Ranges.require(
        initialNoise >= 0 && initialNoise < 1e6, "initialNoise", initialNoise, "0 or more");
    Ranges.require(steps > 0, "steps", steps, "1 or more");
  }

  /** This rule with another way to compute steps. */
  public Gaussian with(Predictor other) {
    return new Gaussian(other, scoreTemperature, initialNoise, steps);
  }

  public Gaussian withScoreTemperature(double other) {
    return new Gaussian(predictor, other, initialNoise, steps);
  }

  /**
   * This rule with what a config says, in the words of the authors' program.
   *
   * @throws dev.apus.core.config.ConfigException if a setting is no value that it can have
   */
  Gaussian over(Config c) {
    boolean ddim = c.flag("ddim_sampler", predictor == Predictor.DDIM);
    try {
      return new Gaussian(
          ddim ? Predictor.DDIM : Predictor.ANCESTRAL,
          c.number("score_temp", scoreTemperature),
          c.number("initial_noise_scale", initialNoise),
          c.positive("sampling_timesteps", steps));
    } catch (IllegalArgumentException e) {
      throw c.error("%s", e.getMessage());
    }
  }

  @Override
  public int steps(int noisy) {
    return steps;
  }

  @Override
  public void transfer(Moment moment) {
    moment.moveAll(moment.step() >= moment.steps());
  }

  @Override
  public double time(Progress before, DoubleSupplier random) {
    int last = before.steps() - 1;
    return last == 0 ? 1 : 1 - (double) Math.min(before.step(), last) / last;
  }

  /** The time that the step at some time leads to; that time where none follows. */
  double goal(Progress at) {
    boolean follows = at.step() < at.steps() && at.time() > 0;
    return follows ? Math.max(0, at.time() - 1.0 / at.steps()) : at.time();
  }

  @Override
  public Posterior posterior(Diffusion of, Progress now) {
    if (of.gaussian() == null) {
      throw new IllegalArgumentException(
          "the rule "
              + this
              + " needs a model whose noise is in vectors; this one's is "
              + of.noise());
    }
    return null;
  }

  /**
   * Takes values of one text from a level of noise to a lower one.
   *
   * @param values z, which become z'
   * @param means x̂
   * @param known whether the means are those of a text that was given
   * @param level γ
   * @param goal γ', at most γ
   * @param normal normal random numbers, one for each value
   */
  public void step(
      double[] values,
      double[] means,
      boolean known,
      double level,
      double goal,
      DoubleSupplier normal) {
    double alpha = signal(level);
    double sigma = signal(-level);
    double alphaAfter = signal(goal);
    double sigmaAfter = signal(-goal);
    double temperature = known ? 1 : scoreTemperature;
    double undone = -StrictMath.expm1(goal - level);
    double kept = (1 - undone) * alphaAfter / alpha;
    double spread = Math.sqrt(undone) * sigmaAfter;
    for (int i = 0; i < values.length; i++) {
      double noise = (values[i] - alpha * means[i]) / sigma / temperature;
      double mean = known ? means[i] : (values[i] - sigma * noise) / alpha;
      values[i] =
          predictor == Predictor.DDIM
              ? alphaAfter * mean + sigmaAfter * noise
              : kept * values[i] + undone * alphaAfter * mean + spread * normal.getAsDouble();
    }
  }

  /** α at a level, and σ at minus that level: {@code √(1 / (1 + e^γ))}. */
  static double signal(double level) {
    return Math.sqrt(1 / (1 + StrictMath.exp(level)));
  }
}
