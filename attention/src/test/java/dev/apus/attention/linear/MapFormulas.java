package dev.apus.attention.linear;

import static dev.apus.testing.MixerBench.vector;

import dev.apus.core.weight.WeightScope.Typical;
import java.util.Arrays;
import java.util.function.DoubleUnaryOperator;

/** What feature maps are made of, in double precision. */
final class MapFormulas {

  private MapFormulas() {}

  static double dot(double[] a, double[] b) {
    double sum = 0;
    for (int i = 0; i < a.length; i++) {
      sum += a[i] * b[i];
    }
    return sum;
  }

  static double[] map(double[] x, DoubleUnaryOperator f) {
    return Arrays.stream(x).map(f).toArray();
  }

  static double[] softmax(double[] x) {
    double[] e = map(x, Math::exp);
    double sum = Arrays.stream(e).sum();
    return map(e, value -> value / sum);
  }

  static double[] joined(double[] a, double[] b) {
    double[] both = Arrays.copyOf(a, a.length + b.length);
    System.arraycopy(b, 0, both, a.length, b.length);
    return both;
  }

  static double[] product(double[] a, double[] b) {
    double[] product = a.clone();
    Arrays.setAll(product, i -> a[i] * b[i]);
    return product;
  }

  static double[] plus(double[] a, double[] b) {
    double[] sum = a.clone();
    Arrays.setAll(sum, i -> a[i] + b[i]);
    return sum;
  }

  static double[] elu(double[] x) {
    return map(x, value -> value > 0 ? value + 1 : Math.exp(value));
  }

  static double[] relu(double[] x) {
    return map(x, value -> Math.max(value, 0));
  }

  static double[] negative(double[] x) {
    return map(x, value -> -value);
  }

  static double[] dpfp(double[] r, int turns) {
    double[] all = {};
    for (int turn = 1; turn <= turns; turn++) {
      int by = turn;
      double[] turned = new double[r.length];
      Arrays.setAll(turned, i -> r[Math.floorMod(i - by, r.length)]);
      all = joined(all, product(r, turned));
    }
    return all;
  }

  /** The layer norm of a row whose weights are called {@code features.norm}. */
  static double[] layerNorm(double[] x, double epsilon) {
    double mean = Arrays.stream(x).average().orElseThrow();
    double variance = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
    double[] unit = map(x, value -> (value - mean) / Math.sqrt(variance + epsilon));
    return plus(
        product(unit, vector("features.norm", x.length, Typical.NORM)),
        vector("features.norm.bias", x.length, Typical.BIAS));
  }

  static double[] unit(double[] x) {
    double length = Math.sqrt(dot(x, x));
    return map(x, value -> value / length);
  }
}
