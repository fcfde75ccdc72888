package dev.apus.attention.learning;

import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;

import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;
import dev.apus.kernels.learning.FastWeights.Shape;
import java.util.Arrays;

/** An inner model in double precision: all its weights, what it maps a row to, its gradient. */
record ExactModel(
    InnerModel spec,
    double[][][] matrices,
    double[][] biases,
    double[] norm,
    double[] normBias,
    double epsilon) {

  /**
   * The weights with which one of several heads begins.
   *
   * @param prefix what their names begin with
   */
  static ExactModel random(InnerModel spec, int heads, int head, double epsilon, String prefix) {
    int depth = spec.depth();
    double[][][] matrices = new double[depth][][];
    double[][] biases = new double[depth][];
    for (int layer = 0; layer < depth; layer++) {
      Shape shape = spec.shapes().get(layer);
      String name = prefix + "inner.w" + (layer + 1);
      int inputs = shape.inputs();
      var typical = new Typical(0, (float) (1 / Math.sqrt(inputs)));
      double[][] all = rows(name, heads * inputs, shape.outputs(), typical);
      matrices[layer] = Arrays.copyOfRange(all, head * inputs, (head + 1) * inputs);
      biases[layer] =
          spec.residual()
              ? rows(name + ".bias", heads, shape.outputs(), Typical.BIAS)[head]
              : new double[shape.outputs()];
    }
    return new ExactModel(
        spec,
        matrices,
        biases,
        spec.residual() ? rows(prefix + "inner.norm", heads, spec.dim(), Typical.NORM)[head] : null,
        spec.residual()
            ? rows(prefix + "inner.norm.bias", heads, spec.dim(), Typical.BIAS)[head]
            : null,
        epsilon);
  }

  ExactModel zeros() {
    return plus(-1, this);
  }

  /** {@code this + scale · other}, weight by weight. */
  ExactModel plus(double scale, ExactModel other) {
    double[][][] sums = new double[matrices.length][][];
    double[][] biasSums = new double[matrices.length][];
    for (int layer = 0; layer < matrices.length; layer++) {
      sums[layer] = new double[matrices[layer].length][];
      for (int i = 0; i < matrices[layer].length; i++) {
        sums[layer][i] = sum(matrices[layer][i], scale, other.matrices[layer][i]);
      }
      biasSums[layer] = sum(biases[layer], scale, other.biases[layer]);
    }
    return new ExactModel(spec, sums, biasSums, norm, normBias, epsilon);
  }

  private static double[] sum(double[] a, double scale, double[] b) {
    double[] sum = new double[a.length];
    Arrays.setAll(sum, i -> a[i] + scale * b[i]);
    return sum;
  }

  double[] map(double[] x) {
    double[] h = x;
    for (int layer = 0; layer < matrices.length; layer++) {
      double[] z = applied(layer, h);
      h = layer < matrices.length - 1 ? Arrays.stream(z).map(this::activated).toArray() : z;
    }
    return spec.residual() ? sum(x, 1, layerNorm(h, norm, normBias, epsilon)) : h;
  }

  private double[] applied(int layer, double[] x) {
    double[] z = biases[layer].clone();
    for (int i = 0; i < x.length; i++) {
      for (int j = 0; j < z.length; j++) {
        z[j] += x[i] * matrices[layer][i][j];
      }
    }
    return z;
  }

  private double loss(double[] k, double[] v) {
    double[] error = sum(map(k), -1, v);
    double squares = Arrays.stream(error).map(e -> e * e).sum();
    return spec.residual() ? squares / 2 : squares;
  }

  /**
   * The gradient of the loss at every weight, by differences: these know nothing of the chain rule
   * that is tested. The fourth-order formula leaves an error of 1e-10 or so.
   */
  ExactModel gradient(double[] k, double[] v) {
    ExactModel gradient = zeros();
    for (int layer = 0; layer < matrices.length; layer++) {
      for (int i = 0; i < matrices[layer].length; i++) {
        slopes(matrices[layer][i], gradient.matrices[layer][i], k, v);
      }
      if (spec.residual()) {
        slopes(biases[layer], gradient.biases[layer], k, v);
      }
    }
    return gradient;
  }

  private void slopes(double[] weights, double[] slopes, double[] k, double[] v) {
    double step = 1e-3;
    for (int j = 0; j < weights.length; j++) {
      double weight = weights[j];
      double slope = 0;
      for (int side : new int[] {-2, -1, 1, 2}) {
        weights[j] = weight + side * step;
        slope += (Math.abs(side) == 1 ? 8 * side : -side / 2.0) * loss(k, v);
      }
      weights[j] = weight;
      slopes[j] = slope / (12 * step);
    }
  }

  private double activated(double x) {
    return spec.activation() == Activation.SILU ? x * sigmoid(x) : geluTanh(x);
  }

  static double geluTanh(double x) {
    return x / 2 * (1 + Math.tanh(Math.sqrt(2 / Math.PI) * (x + 0.044715 * x * x * x)));
  }

  static double[] layerNorm(double[] x, double[] weight, double[] bias, double epsilon) {
    double mean = Arrays.stream(x).average().orElseThrow();
    double variance = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).sum() / x.length;
    double[] y = new double[x.length];
    Arrays.setAll(y, i -> (x[i] - mean) / Math.sqrt(variance + epsilon) * weight[i] + bias[i]);
    return y;
  }
}
