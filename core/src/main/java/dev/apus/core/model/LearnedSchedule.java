package dev.apus.core.model;

import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;

/**
 * A schedule that a model has learned:
 *
 * <pre>
 *   γ(t) = γ₀ + (γ₁ − γ₀) (g(t) − g(0)) / (g(1) − g(0))
 *   g(t) = Σᵢ softplus(vᵢ) tanh(softplus(wᵢ) (t − ½) + bᵢ)
 * </pre>
 *
 * <p>Which grows, whatever the weights are.
 *
 * @see <a href="https://arxiv.org/abs/2107.00630">Variational Diffusion Models</a>
 */
final class LearnedSchedule implements NoiseSchedule {

  /** Above it, {@code ln(1 + e^x)} is x in any precision. */
  private static final double LARGE = 40;

  private final double[] in;
  private final double[] bias;
  private final double[] out;
  private final double least;
  private final double most;
  private final double start;
  private final double growth;

  LearnedSchedule(float[] in, float[] bias, float[] out, float least, float most) {
    this.in = softplus(in);
    this.bias = new double[bias.length];
    for (int i = 0; i < bias.length; i++) {
      this.bias[i] = bias[i];
    }
    this.out = softplus(out);
    this.least = least;
    this.most = most;
    this.start = curve(0);
    this.growth = curve(1) - start;
  }

  static LearnedSchedule of(GaussianSpec spec, WeightScope scope) {
    int units = spec.units();
    Typical any = new Typical(0, 1);
    return new LearnedSchedule(
        scope.vector("in", units, any),
        scope.vector("bias", units, any),
        scope.vector("out", units, any),
        scope.vector("least", 1, new Typical(-3, 0.5f))[0],
        scope.vector("most", 1, new Typical(6, 0.5f))[0]);
  }

  private static double[] softplus(float[] values) {
    double[] all = new double[values.length];
    for (int i = 0; i < all.length; i++) {
      double x = values[i];
      all[i] = x > LARGE ? x : StrictMath.log1p(StrictMath.exp(x));
    }
    return all;
  }

  private double curve(double time) {
    double sum = 0;
    for (int i = 0; i < in.length; i++) {
      sum += out[i] * StrictMath.tanh(in[i] * (time - 0.5) + bias[i]);
    }
    return sum;
  }

  @Override
  public double at(double time) {
    return least + (most - least) * ((curve(time) - start) / growth);
  }

  @Override
  public double rate(double time) {
    double slope = 0;
    for (int i = 0; i < in.length; i++) {
      double bent = StrictMath.tanh(in[i] * (time - 0.5) + bias[i]);
      slope += out[i] * in[i] * (1 - bent * bent);
    }
    return (most - least) * slope / growth;
  }
}
