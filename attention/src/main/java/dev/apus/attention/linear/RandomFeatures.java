package dev.apus.attention.linear;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.model.Batch;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Features along random directions ω, whose products are right on average.
 *
 * <pre>
 *   positive (FAVOR+):   φ(x) = m^(−½) e^(ωᵢ·x̃ − ½‖x̃‖²)       x̃ = √scale · x    E φ(q)·φ(k) = e^(scale q·k)
 *   Fourier (RFA):       φ(x) = m^(−½) [sin ωᵢ·x̃, cos ωᵢ·x̃]   x̃ = σ ⊙ x / ‖x‖   E φ(q)·φ(k) = e^(−½‖q̃ − k̃‖²)
 * </pre>
 *
 * <p>Positive features are divided by the greatest of their head, whose logarithm comes with them.
 *
 * @see <a href="https://arxiv.org/abs/2009.14794">Performer</a>
 * @see <a href="https://arxiv.org/abs/2103.02143">Random Feature Attention</a>
 */
final class RandomFeatures implements FeatureMap {

  /** An exponential takes about as long as so many values. */
  private static final int COST = 8;

  /** Keeps a head of zeros from being divided by its length. */
  private static final float UNIT_EPSILON = 1e-12f;

  private final int dim;
  private final HeadProjection directions;
  private final boolean positive;
  private final float scale;
  private final float[] sigma;

  private RandomFeatures(
      int dim, HeadProjection directions, boolean positive, float scale, float[] sigma) {
    this.dim = dim;
    this.directions = directions;
    this.positive = positive;
    this.scale = scale;
    this.sigma = sigma;
  }

  /** Performer's features, along one direction each. */
  static RandomFeatures positive(int dim, HeadProjection directions, float scale) {
    return new RandomFeatures(dim, directions, true, scale, null);
  }

  /**
   * Random Fourier features, a sine and a cosine for each direction.
   *
   * @param sigma for each value of each head; null for 1
   */
  static RandomFeatures fourier(int dim, HeadProjection directions, float[] sigma) {
    return new RandomFeatures(dim, directions, false, 1, sigma);
  }

  @Override
  public int features() {
    return positive ? directions.outputs() : 2 * directions.outputs();
  }

  @Override
  public Features apply(Pass pass, Pass.Frame frame, Batch<?> batch, Matrix x) {
    int heads = x.cols() / dim;
    int count = directions.outputs();
    int rows = x.rows() * heads;
    pass.eachRow(
        x.rows(), 4 * x.cols(), (from, to, worker) -> scale(pass.kernels(), x, from, to, heads));
    Matrix along = directions.result(frame, x);
    List<Divisible> tasks = new ArrayList<>();
    directions.addTo(tasks, pass, x, along);
    pass.run(tasks.toArray(Divisible[]::new));
    float root = (float) (1 / Math.sqrt(count));
    if (positive) {
      Matrix logarithms = frame.matrix(x.rows(), heads);
      pass.eachRow(
          rows,
          COST * count,
          (from, to, worker) -> {
            for (int head = from; head < to; head++) {
              logarithms.data()[head] =
                  exponentials(pass.kernels(), x.data(), head * dim, along.data(), head * count);
            }
          });
      return new Features(along, logarithms);
    }
    Matrix y = frame.matrix(x.rows(), 2 * along.cols());
    pass.eachRow(
        rows,
        COST * count,
        (from, to, worker) -> {
          var waves = new Waves(count);
          for (int head = from; head < to; head++) {
            waves.of(pass.kernels(), along.data(), head * count);
            for (int i = 0; i < count; i++) {
              y.data()[2 * head * count + i] = waves.sines[i] * root;
              y.data()[(2 * head + 1) * count + i] = waves.cosines[i] * root;
            }
          }
        });
    return new Features(y, null);
  }

  /** Makes x̃ of rows. */
  private void scale(Kernels kernels, Matrix x, int from, int to, int heads) {
    float[] data = x.data();
    if (positive) {
      float root = (float) Math.sqrt(scale);
      for (int i = x.at(from); i < x.at(to); i++) {
        data[i] *= root;
      }
      return;
    }
    for (int row = from; row < to; row++) {
      kernels.norms().l2(data, x.at(row), heads, dim, 1, UNIT_EPSILON, data, x.at(row));
      for (int i = 0; sigma != null && i < x.cols(); i++) {
        data[x.at(row) + i] *= sigma[i];
      }
    }
  }

  /** Turns what a head has along each direction into its features; returns their logarithm. */
  private float exponentials(Kernels kernels, float[] x, int xAt, float[] along, int at) {
    int count = directions.outputs();
    float squares = 0;
    for (int i = xAt; i < xAt + dim; i++) {
      squares = Math.fma(x[i], x[i], squares);
    }
    float most = Float.NEGATIVE_INFINITY;
    for (int i = at; i < at + count; i++) {
      most = Math.max(most, along[i]);
    }
    float root = (float) (1 / Math.sqrt(count));
    for (int i = at; i < at + count; i++) {
      along[i] -= most;
    }
    kernels.activations().apply(Activation.EXP, along, at, count);
    for (int i = at; i < at + count; i++) {
      along[i] *= root;
    }
    return most - squares / 2;
  }

  /** Sines and cosines of some angles. */
  private static final class Waves {

    private final float[] sines;
    private final float[] cosines;
    private final float[] turned;

    Waves(int count) {
      sines = new float[count];
      cosines = new float[count];
      turned = new float[count];
    }

    void of(Kernels kernels, float[] angles, int at) {
      Arrays.fill(turned, 0);
      kernels.rotary().turn(1, angles, at, turned, 0, turned.length, cosines, sines, 0);
    }
  }
}
