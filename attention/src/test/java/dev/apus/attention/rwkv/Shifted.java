package dev.apus.attention.rwkv;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;

import dev.apus.core.weight.WeightScope.Typical;
import java.util.Arrays;

/** The formulas of {@link ShiftedRows} in double precision. */
final class Shifted {

  private static final Typical SHARE = new Typical(0.5f, 0.5f);

  private Shifted() {}

  /** The rows of each token for each of the projections that letters name: {@code [n][t]}. */
  static double[][][] exact(double[][] x, String names, int rank) {
    int width = x[0].length;
    int count = names.length();
    double[][][] y = new double[count][x.length][];
    for (int t = 0; t < x.length; t++) {
      double[] before = t == 0 ? new double[width] : x[t - 1];
      for (int n = 0; n < count; n++) {
        double[] share = vector("shares." + names.charAt(n), width, SHARE).clone();
        if (rank > 0) {
          double[] more = learned(x[t], before, count, rank, n);
          Arrays.setAll(share, i -> share[i] + more[i]);
        }
        y[n][t] = mixed(x[t], before, share);
      }
    }
    return y;
  }

  private static double[] learned(double[] x, double[] before, int count, int rank, int n) {
    double[] in = mixed(x, before, vector("shares.x", x.length, SHARE));
    double[] latent = times(matrix("shares.latent", count * rank, x.length), in);
    double[][] up = matrix("shares.up", x.length, count * rank);
    double[] y = new double[x.length];
    for (int i = 0; i < y.length; i++) {
      for (int r = n * rank; r < (n + 1) * rank; r++) {
        y[i] += up[i][r] * Math.tanh(latent[r]);
      }
    }
    return y;
  }

  private static double[] mixed(double[] x, double[] before, double[] shares) {
    double[] y = new double[x.length];
    Arrays.setAll(y, i -> (1 - shares[i]) * x[i] + shares[i] * before[i]);
    return y;
  }
}
