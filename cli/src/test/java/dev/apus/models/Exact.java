package dev.apus.models;

import dev.apus.core.weight.RandomWeights;
import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.core.weight.WeightSource.Key;
import java.util.Arrays;

/** Random weights in double precision, and what layers do with them. */
record Exact(RandomWeights weights) {

  double[][] matrix(String name, int layer, int rows, int cols) {
    float[] values = weights.find(new Key(name, layer, -1), rows, cols, null).decode();
    double[][] matrix = new double[rows][cols];
    for (int i = 0; i < values.length; i++) {
      matrix[i / cols][i % cols] = values[i];
    }
    return matrix;
  }

  /** {@code W x} of a matrix with as many rows as there are outputs. */
  double[] times(String name, int layer, int outputs, double[] x) {
    double[] y = new double[outputs];
    double[][] w = matrix(name, layer, outputs, x.length);
    for (int i = 0; i < outputs; i++) {
      for (int j = 0; j < x.length; j++) {
        y[i] += w[i][j] * x[j];
      }
    }
    return y;
  }

  double[] rms(String name, int layer, double[] x) {
    float[] weight = weights.find(new Key(name, layer, -1), 1, x.length, Typical.NORM).decode();
    double mean = Arrays.stream(x).map(v -> v * v).average().orElseThrow();
    double[] y = new double[x.length];
    Arrays.setAll(y, i -> x[i] / Math.sqrt(mean + 1e-5) * weight[i]);
    return y;
  }

  static double[] sum(double[] a, double[] b) {
    double[] sum = new double[a.length];
    Arrays.setAll(sum, i -> a[i] + b[i]);
    return sum;
  }
}
