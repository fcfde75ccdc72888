package dev.apus.ssm.structured;

import java.util.function.UnaryOperator;

/** Dense real matrices, as directly as can be. */
final class Dense {

  private Dense() {}

  /** The matrix of a linear map. */
  static double[][] of(int size, UnaryOperator<double[]> map) {
    double[][] matrix = new double[size][size];
    for (int j = 0; j < size; j++) {
      double[] unit = new double[size];
      unit[j] = 1;
      double[] column = map.apply(unit);
      for (int i = 0; i < size; i++) {
        matrix[i][j] = column[i];
      }
    }
    return matrix;
  }

  static double[] times(double[][] a, double[] x) {
    double[] y = new double[a.length];
    for (int i = 0; i < y.length; i++) {
      for (int j = 0; j < x.length; j++) {
        y[i] += a[i][j] * x[j];
      }
    }
    return y;
  }

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  /** {@code I + factor · A}. */
  static double[][] identityPlus(double factor, double[][] a) {
    double[][] sum = new double[a.length][a.length];
    for (int i = 0; i < a.length; i++) {
      for (int j = 0; j < a.length; j++) {
        sum[i][j] = factor * a[i][j] + (i == j ? 1 : 0);
      }
    }
    return sum;
  }

  /** The x of {@code A x = b}, by elimination with pivots. */
  static double[] solve(double[][] matrix, double[] right) {
    int size = right.length;
    double[][] a = new double[size][];
    for (int i = 0; i < size; i++) {
      a[i] = matrix[i].clone();
    }
    double[] b = right.clone();
    for (int k = 0; k < size; k++) {
      int pivot = k;
      for (int i = k + 1; i < size; i++) {
        pivot = Math.abs(a[i][k]) > Math.abs(a[pivot][k]) ? i : pivot;
      }
      double[] row = a[k];
      a[k] = a[pivot];
      a[pivot] = row;
      double value = b[k];
      b[k] = b[pivot];
      b[pivot] = value;
      for (int i = k + 1; i < size; i++) {
        double factor = a[i][k] / a[k][k];
        for (int j = k; j < size; j++) {
          a[i][j] -= factor * a[k][j];
        }
        b[i] -= factor * b[k];
      }
    }
    for (int k = size - 1; k >= 0; k--) {
      for (int j = k + 1; j < size; j++) {
        b[k] -= a[k][j] * b[j];
      }
      b[k] /= a[k][k];
    }
    return b;
  }

  /**
   * What the bilinear recurrence of {@code h′ = A h + b x, y = c h} answers to an impulse: {@code c
   * Āⁱ b̄}.
   */
  static double[] bilinear(double[][] a, double[] b, double[] c, double step, int length) {
    double[][] forward = identityPlus(step / 2, a);
    double[][] backward = identityPlus(-step / 2, a);
    double[] input = b.clone();
    for (int i = 0; i < input.length; i++) {
      input[i] *= step;
    }
    double[] h = solve(backward, input);
    double[] kernel = new double[length];
    for (int i = 0; i < length; i++) {
      kernel[i] = dot(c, h);
      h = solve(backward, times(forward, h));
    }
    return kernel;
  }
}
