package dev.apus.core.model;

import dev.apus.core.compute.Pass;
import dev.apus.core.tensor.Matrix;
import dev.apus.core.weight.Projection;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;
import java.util.Arrays;

/**
 * What joins a step to n residual streams, by weights that each row makes anew:
 *
 * <pre>
 *   [a, b, C] = scale ⊙ (W rms(all streams side by side)) + bias         n, n and n × n values
 *   x = Σᵢ (σ(aᵢ) + ε) streamᵢ                                           the step reads x
 *   streamⱼ ← 2σ(bⱼ) step(x) + Σᵢ Mᵢⱼ streamᵢ
 * </pre>
 *
 * <p>M is nearly doubly stochastic, so that no mixing makes the streams grow: the softmax of each
 * row of C, plus ε; then its columns are divided by their sums, and after them rows and columns in
 * turn, as often as the settings say. What ends the streams has a alone, or is their mean.
 *
 * <p>A row of all streams holds one stream after the other.
 *
 * @see <a href="https://arxiv.org/abs/2409.19606">Hyper-Connections</a>
 * @see <a href="https://arxiv.org/abs/2512.24880">Manifold-Constrained Hyper-Connections</a>
 */
final class HyperConnection {

  private final HyperSpec spec;
  private final int cols;
  private final Normalization norm;
  private final Projection maps;
  private final float[] scale;
  private final float[] bias;

  /**
   * @param cols values that a row makes: n, and n more and n · n where there is a step to join
   * @param mean whether it makes them all 1 / n, without weights
   */
  private HyperConnection(
      HyperSpec spec, int cols, boolean mean, String name, int width, WeightScope scope) {
    int values = spec.rate() * width;
    NormSpec rms = NormSpec.rms(spec.normEpsilon()).unweighted();
    this.spec = spec;
    this.cols = cols;
    this.norm = Normalization.of(rms, name + ".norm", values, scope);
    this.maps = mean ? null : scope.projection(name, cols, values);
    this.scale =
        mean ? null : scope.vector(name + ".scale", cols == spec.rate() ? 1 : 3, Typical.NORM);
    this.bias = mean ? null : scope.vector(name + ".bias", cols, Typical.BIAS);
  }

  /**
   * What joins a step.
   *
   * @param spec null for a model of one residual stream, which gives null
   * @param name of the weights
   * @param width of a stream
   */
  static HyperConnection of(HyperSpec spec, String name, int width, WeightScope scope) {
    return spec == null
        ? null
        : new HyperConnection(spec, spec.rate() * (spec.rate() + 2), false, name, width, scope);
  }

  /** What makes one row of all streams at the end. */
  static HyperConnection ofEnd(HyperSpec spec, String name, int width, WeightScope scope) {
    return spec == null
        ? null
        : new HyperConnection(spec, spec.rate(), spec.mean(), name, width, scope);
  }

  /** Streams that are all copies of a row. */
  static void begin(Pass pass, Matrix x, Matrix streams) {
    pass.eachRow(
        x.rows(),
        streams.cols(),
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            for (int at = streams.at(row); at < streams.at(row + 1); at += x.cols()) {
              System.arraycopy(x.data(), x.at(row), streams.data(), at, x.cols());
            }
          }
        });
  }

  /** Values of the weights of a row. */
  int cols() {
    return cols;
  }

  /** Values of all streams of a row. */
  int values(int width) {
    return spec.rate() * width;
  }

  /**
   * Makes the rows that the step reads.
   *
   * @param weights receives what each row has made, {@link #cols} values: the factors of the
   *     streams and, for {@link #write}, those of what the step gives, and the matrix
   */
  void read(Pass pass, Matrix streams, Matrix weights, Matrix x) {
    if (maps == null) {
      Arrays.fill(weights.data(), 0, weights.at(weights.rows()), 1f / spec.rate());
    } else {
      try (Pass.Frame frame = pass.frame()) {
        Matrix normed = frame.matrix(streams.rows(), streams.cols());
        norm.rows(pass, streams, normed);
        maps.apply(pass, normed, weights);
      }
    }
    pass.eachRow(
        x.rows(),
        streams.cols() + spec.iterations() * cols,
        (from, to, worker) -> {
          for (int row = from; row < to; row++) {
            int at = weights.at(row);
            if (maps != null) {
              weigh(pass, weights.data(), at);
            }
            sum(pass, weights.data(), at, 1, streams, row, x.data(), x.at(row));
          }
        });
  }

  /** Turns what a row has made into weights. */
  private void weigh(Pass pass, float[] w, int at) {
    int n = spec.rate();
    float epsilon = (float) spec.epsilon();
    for (int i = 0; i < cols; i++) {
      w[at + i] = w[at + i] * scale[Math.min(i / n, 2)] + bias[i];
    }
    pass.kernels().activations().apply(Activation.SIGMOID, w, at, Math.min(cols, 2 * n));
    for (int i = at; i < at + n; i++) {
      w[i] += epsilon;
    }
    if (cols == n) {
      return;
    }
    int matrix = at + 2 * n;
    for (int i = 0; i < n; i++) {
      w[at + n + i] *= 2;
      pass.kernels().activations().softmax(w, matrix + i * n, n);
    }
    for (int i = matrix; i < matrix + n * n; i++) {
      w[i] += epsilon;
    }
    divide(w, matrix, n, 1, n, epsilon);
    for (int i = 1; i < spec.iterations(); i++) {
      divide(w, matrix, n, n, 1, epsilon);
      divide(w, matrix, n, 1, n, epsilon);
    }
  }

  /**
   * Divides the rows or the columns of a matrix of n lines by their sums.
   *
   * @param line from the first value of a line to that of the next
   * @param step from a value of a line to the next
   */
  private static void divide(float[] w, int at, int n, int line, int step, float epsilon) {
    for (int i = 0; i < n; i++) {
      int first = at + i * line;
      float sum = 0;
      for (int j = 0; j < n; j++) {
        sum += w[first + j * step];
      }
      sum += epsilon;
      for (int j = 0; j < n; j++) {
        w[first + j * step] /= sum;
      }
    }
  }

  /**
   * Writes a sum of a row's streams.
   *
   * @param step from the weight of a stream to that of the next
   */
  private void sum(
      Pass pass, float[] w, int wAt, int step, Matrix streams, int row, float[] x, int xAt) {
    int width = streams.cols() / spec.rate();
    Arrays.fill(x, xAt, xAt + width, 0);
    for (int i = 0; i < spec.rate(); i++) {
      int from = streams.at(row) + i * width;
      pass.kernels()
          .activations()
          .addScaled(w[wAt + i * step], streams.data(), from, x, xAt, width);
    }
  }

  /**
   * Mixes the streams and adds what the step gave.
   *
   * @param weights as {@link #read} has made them
   * @param y what the step gave
   */
  void write(Pass pass, Matrix weights, Matrix y, Matrix streams) {
    int n = spec.rate();
    int width = y.cols();
    float[] w = weights.data();
    pass.eachRow(
        y.rows(),
        n * streams.cols(),
        (from, to, worker) -> {
          float[] mixed = pass.scratch(worker, streams.cols());
          for (int row = from; row < to; row++) {
            int at = weights.at(row);
            for (int j = 0; j < n; j++) {
              sum(pass, w, at + 2 * n + j, n, streams, row, mixed, j * width);
              float factor = w[at + n + j];
              pass.kernels()
                  .activations()
                  .addScaled(factor, y.data(), y.at(row), mixed, j * width, width);
            }
            System.arraycopy(mixed, 0, streams.data(), streams.at(row), streams.cols());
          }
        });
  }
}
