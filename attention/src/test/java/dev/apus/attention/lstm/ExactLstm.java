package dev.apus.attention.lstm;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;

import dev.apus.core.weight.WeightScope.Typical;
import java.util.Arrays;

/** Parts of the formulas of xLSTM in double precision. */
final class ExactLstm {

  private ExactLstm() {}

  /** Queries, keys, values and gates of a sequence, each token's as heads lie. */
  record Inputs(double[][] q, double[][] k, double[][] v, double[][] in, double[][] forget) {}

  /**
   * The cell by its definition, without a memory: each token looks back at every one before it.
   *
   * <pre>
   *   d(t, s) = e^(Σ_{s &lt; r ≤ t} log σ(f̃_r) + ĩ_s)
   *   h_t = Σ_s d(t, s) (q_t · k_s) v_s / (max(|Σ_s d(t, s) (q_t · k_s)|, 1) + ε e^m)
   * </pre>
   *
   * where {@code e^m} is the greatest of the d(t, s), and of what of a 1 at the beginning is left.
   */
  static double[][] cell(MatrixCell cell, Inputs x) {
    int keyDim = cell.keyDim();
    int valueDim = cell.valueDim();
    double[][] h = new double[x.q.length][cell.heads() * valueDim];
    for (int head = 0; head < cell.heads(); head++) {
      double[] logs = new double[h.length + 1];
      for (int t = 0; t < h.length; t++) {
        logs[t + 1] = logs[t] - Math.log1p(Math.exp(-capped(cell, x.forget[t][head])));
      }
      for (int t = 0; t < h.length; t++) {
        double m = logs[t + 1];
        for (int s = 0; s <= t; s++) {
          m = Math.max(m, logs[t + 1] - logs[s + 1] + capped(cell, x.in[s][head]));
        }
        double all = 0;
        for (int s = 0; s <= t; s++) {
          double log = logs[t + 1] - logs[s + 1] + capped(cell, x.in[s][head]);
          double score = 0;
          for (int i = head * keyDim; i < (head + 1) * keyDim; i++) {
            score += x.q[t][i] * x.k[s][i] / Math.sqrt(keyDim);
          }
          double weight = Math.exp(log - m) * score;
          all += weight;
          for (int j = head * valueDim; j < (head + 1) * valueDim; j++) {
            h[t][j] += weight * x.v[s][j];
          }
        }
        for (int j = head * valueDim; j < (head + 1) * valueDim; j++) {
          h[t][j] /= Math.max(Math.abs(all), Math.exp(-m)) + cell.epsilon();
        }
      }
    }
    return h;
  }

  private static double capped(MatrixCell cell, double x) {
    return cell.cap() == 0 ? x : cell.cap() * Math.tanh(x / cell.cap());
  }

  /** Each head normalised by itself. */
  static double[] normed(double[] h, int heads, double epsilon) {
    double[] weight = vector("norm", h.length, Typical.NORM);
    int dim = h.length / heads;
    double[] y = new double[h.length];
    for (int head = 0; head < heads; head++) {
      double[] own = Arrays.copyOfRange(h, head * dim, (head + 1) * dim);
      double mean = Arrays.stream(own).average().orElseThrow();
      double spread = Arrays.stream(own).map(v -> (v - mean) * (v - mean)).sum() / dim;
      for (int i = 0; i < dim; i++) {
        y[head * dim + i] = (own[i] - mean) / Math.sqrt(spread + epsilon) * weight[head * dim + i];
      }
    }
    return y;
  }

  static double[] biased(String name, int outputs, double[] x) {
    double[] y = times(matrix(name, outputs, x.length), x);
    double[] bias = vector(name + ".bias", outputs, Typical.BIAS);
    Arrays.setAll(y, i -> y[i] + bias[i]);
    return y;
  }

  /** By a block-diagonal matrix. */
  static double[] blocks(String name, int size, double[] x) {
    double[] y = new double[x.length];
    for (int at = 0; at < x.length; at += size) {
      double[] part = Arrays.copyOfRange(x, at, at + size);
      double[] mapped = times(rows(name, at / size, size, size, null), part);
      System.arraycopy(mapped, 0, y, at, size);
    }
    return y;
  }

  /** Row {@code t} of {@code silu(conv(x) + b)}. */
  static double[] convolved(double[][] x, int t, int taps) {
    int channels = x[0].length;
    double[][] weight = rows("conv", channels, taps, new Typical(0, 0.5f));
    double[] y = vector("conv.bias", channels, Typical.BIAS);
    for (int c = 0; c < channels; c++) {
      for (int tap = Math.max(0, taps - 1 - t); tap < taps; tap++) {
        y[c] += weight[c][tap] * x[t - taps + 1 + tap][c];
      }
      y[c] *= sigmoid(y[c]);
    }
    return y;
  }
}
