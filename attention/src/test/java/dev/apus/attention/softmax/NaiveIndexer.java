package dev.apus.attention.softmax;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;

import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.rope.Rotary.Layout;
import java.util.Arrays;
import java.util.Comparator;
import java.util.stream.IntStream;

/** The choice of an indexer as its definition says it, in double precision. */
final class NaiveIndexer {

  private final Indexer.Spec spec;
  private final int turned;
  private final double theta;

  /**
   * @param turned how many values of a head turn; 0 for none
   */
  NaiveIndexer(Indexer.Spec spec, int turned, double theta) {
    this.spec = spec;
    this.turned = turned;
    this.theta = theta;
  }

  /**
   * Which tokens each token attends to.
   *
   * @param latents of the queries, normalised
   */
  boolean[][] choose(double[][] x, double[][] latents) {
    int dim = spec.headDim();
    int heads = spec.heads();
    double[][] q = new double[x.length][];
    double[][] k = new double[x.length][];
    double[][] w = new double[x.length][];
    for (int i = 0; i < x.length; i++) {
      q[i] = times(matrix("index.q", heads * dim, latents[i].length), latents[i]);
      k[i] = normed(times(matrix("index.k", dim, x[i].length), x[i]));
      w[i] = times(matrix("index.weights", heads, x[i].length), x[i]);
      turn(k[i], 0, i);
      for (int head = 0; head < heads; head++) {
        turn(q[i], head * dim, i);
      }
    }
    boolean[][] chosen = new boolean[x.length][x.length];
    for (int i = 0; i < x.length; i++) {
      double[] scores = new double[i + 1];
      for (int j = 0; j <= i; j++) {
        for (int head = 0; head < heads; head++) {
          double dot = 0;
          for (int d = 0; d < dim; d++) {
            dot += q[i][head * dim + d] * k[j][d];
          }
          // The published factors, which change nothing.
          double scaled = Math.max(0, dot / Math.sqrt(dim));
          scores[j] += w[i][head] / Math.sqrt(heads) * scaled;
        }
      }
      boolean[] row = chosen[i];
      IntStream.rangeClosed(0, i)
          .boxed()
          .sorted(Comparator.comparingDouble(j -> -scores[j]))
          .limit(spec.top())
          .forEach(j -> row[j] = true);
    }
    return chosen;
  }

  private static double[] normed(double[] x) {
    double mean = Arrays.stream(x).average().orElseThrow();
    double variance = Arrays.stream(x).map(v -> (v - mean) * (v - mean)).average().orElseThrow();
    double[] weight = vector("index.k.norm", x.length, Typical.NORM);
    double[] bias = vector("index.k.norm.bias", x.length, Typical.BIAS);
    double[] y = new double[x.length];
    Arrays.setAll(y, i -> (x[i] - mean) / Math.sqrt(variance + 1e-6) * weight[i] + bias[i]);
    return y;
  }

  private void turn(double[] x, int at, int position) {
    int pairs = turned / 2;
    boolean halves = spec.layout() == Layout.HALVES;
    for (int i = 0; i < pairs; i++) {
      double angle = position * Math.pow(theta, -1.0 * i / pairs);
      int first = at + (halves ? i : 2 * i);
      int second = first + (halves ? pairs : 1);
      double a = x[first];
      double b = x[second];
      x[first] = a * Math.cos(angle) - b * Math.sin(angle);
      x[second] = b * Math.cos(angle) + a * Math.sin(angle);
    }
  }
}
