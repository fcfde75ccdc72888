package dev.apus.attention.softmax;

import dev.apus.core.compute.Pass;
import dev.apus.core.model.NormSpec;
import dev.apus.core.model.Normalization;
import dev.apus.core.model.Site;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;

/**
 * What the first half of a layer's heads found, less a share of what the second half did, so that
 * what both find by chance cancels:
 *
 * <pre>
 *   y_h = (1 − λ₀) · norm(o_h − λ · o_{h + heads/2})
 *   λ = e^(a₁·b₁) − e^(a₂·b₂) + λ₀          λ₀ = 0.8 − 0.6 e^(−0.3 layer)
 * </pre>
 *
 * @see <a href="https://arxiv.org/abs/2410.05258">Differential Transformer</a>
 */
final class HeadDifference {

  private final int heads;
  private final int valueDim;
  private final float share;
  private final float rest;
  private final Normalization norm;

  private HeadDifference(int heads, int valueDim, float share, float rest, Normalization norm) {
    this.heads = heads;
    this.valueDim = valueDim;
    this.share = share;
    this.rest = rest;
    this.norm = norm;
  }

  /**
   * @param spec of each head's difference; null for layers that take none, which gives null
   */
  static HeadDifference of(NormSpec spec, int heads, int headDim, int valueDim, Site site) {
    if (spec == null) {
      return null;
    }
    WeightScope weights = site.weights().scope("difference");
    double first = 0.8 - 0.6 * StrictMath.exp(-0.3 * site.layer());
    double share = exp("1", headDim, weights) - exp("2", headDim, weights) + first;
    Normalization norm = Normalization.of(spec, "norm", valueDim, weights);
    return new HeadDifference(heads / 2, valueDim, (float) share, (float) (1 - first), norm);
  }

  private static double exp(String which, int headDim, WeightScope weights) {
    float[] a = weights.vector("q" + which, headDim, Typical.BIAS);
    float[] b = weights.vector("k" + which, headDim, Typical.BIAS);
    double sum = 0;
    for (int i = 0; i < headDim; i++) {
      sum += (double) a[i] * b[i];
    }
    return StrictMath.exp(sum);
  }

  /**
   * @param o what all heads found
   * @param y receives half as many values a row
   */
  void apply(Pass pass, Matrix o, Matrix y) {
    int cols = heads * valueDim;
    pass.eachRow(
        y.rows(),
        2 * cols,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            System.arraycopy(o.data(), o.at(row), y.data(), y.at(row), cols);
            pass.kernels()
                .activations()
                .addScaled(-share, o.data(), o.at(row) + cols, y.data(), y.at(row), cols);
          }
        });
    norm.groups(pass, y, y, heads, valueDim, 0);
    pass.eachRow(
        y.rows(),
        cols,
        (from, to, worker) -> {
          for (int i = y.at(from); i < y.at(to); i++) {
            y.data()[i] *= rest;
          }
        });
  }
}
