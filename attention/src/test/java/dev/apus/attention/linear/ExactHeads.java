package dev.apus.attention.linear;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;

import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.activation.Activation;
import java.util.Arrays;

/**
 * The parts of linear attention in double precision, as their formulas say: rows of inputs, what
 * weight each token's key has at a later token, and what becomes of what was read.
 */
final class ExactHeads {

  private ExactHeads() {}

  /** Queries (0), keys (1) or values (2) of all tokens, without features. */
  static double[][] inputs(HeadSpec s, int which, double[][] x) {
    String name = "qkv".substring(which, which + 1);
    int dim = which == 2 ? s.valueDim() : s.keyDim();
    int cols = dim * (which == 0 ? s.heads() : s.kvHeads());
    double[][] y = projected(name, cols, x);
    if (s.convolution() != null) {
      y = convolved(s.convolution(), name + ".conv", y);
    }
    for (int t = 0; t < y.length; t++) {
      if (s.isActivated(which)) {
        activate(s.activation(), y[t]);
      }
      if (s.rope() != null && which < 2) {
        turn(y[t], dim, s.rope().theta(), t);
      }
      if (which == 0) {
        double[] q = y[t];
        Arrays.setAll(q, i -> s.scale() * q[i]);
      }
    }
    return y;
  }

  static double[][] projected(String name, int cols, double[][] x) {
    double[][] w = matrix(name, cols, x[0].length);
    return Arrays.stream(x).map(row -> times(w, row)).toArray(double[][]::new);
  }

  private static double[][] convolved(HeadSpec.Convolution c, String name, double[][] x) {
    int cols = x[0].length;
    double[][] w = rows(name, cols, c.taps(), new Typical(0, 0.5f));
    double[] bias = c.biased() ? vector(name + ".bias", cols, Typical.BIAS) : new double[cols];
    double[][] y = new double[x.length][cols];
    for (int t = 0; t < x.length; t++) {
      for (int i = 0; i < cols; i++) {
        y[t][i] = bias[i];
        for (int back = 0; back < Math.min(c.taps(), t + 1); back++) {
          y[t][i] += w[i][c.taps() - 1 - back] * x[t - back][i];
        }
      }
      activate(c.activation(), y[t]);
    }
    return y;
  }

  /** Value {@code i} of a head makes a pair with value {@code i + dim / 2}. */
  private static void turn(double[] row, int dim, double theta, int position) {
    for (int head = 0; head < row.length / dim; head++) {
      for (int i = 0; i < dim / 2; i++) {
        double angle = position * Math.pow(theta, -2.0 * i / dim);
        int at = head * dim + i;
        double a = row[at];
        double b = row[at + dim / 2];
        row[at] = a * Math.cos(angle) - b * Math.sin(angle);
        row[at + dim / 2] = b * Math.cos(angle) + a * Math.sin(angle);
      }
    }
  }

  static void activate(Activation f, double[] x) {
    Arrays.setAll(
        x,
        i ->
            switch (f) {
              case IDENTITY -> x[i];
              case SILU -> x[i] * sigmoid(x[i]);
              case SIGMOID -> sigmoid(x[i]);
              case RELU -> Math.max(x[i], 0);
              default -> throw new AssertionError(f);
            });
  }

  /**
   * How much of what token s wrote is left at token t, by key and value: {@code [t][s]}, for one
   * head, and the key with it.
   *
   * @param logits rows of keys, or of what keys are made of
   */
  static double[][][][] weights(
      Forgetting.Spec spec, Forgetting.Heads heads, int head, double[][] logits, double[][] x) {
    int tokens = x.length;
    double[][][][] weights = new double[tokens][tokens][heads.keyDim()][heads.valueDim()];
    int group = heads.kvHead(head) * heads.keyDim();
    for (int t = 0; t < tokens; t++) {
      for (int s = 0; s <= t; s++) {
        for (int i = 0; i < heads.keyDim(); i++) {
          for (int j = 0; j < heads.valueDim(); j++) {
            weights[t][s][i][j] =
                spec instanceof RunningSoftmax.Spec softmax
                    ? share(softmax, logits, group + i, s, t)
                    : 1;
          }
        }
      }
    }
    if (!(spec instanceof RunningSoftmax.Spec)) {
      decayed(spec, heads, head, logits, x, weights);
    }
    return weights;
  }

  /** The softmax of logits over tokens up to t, at s. */
  private static double share(RunningSoftmax.Spec spec, double[][] logits, int key, int s, int t) {
    double sum = 0;
    for (int r = 0; r <= t; r++) {
      sum += Math.exp(Math.clamp(logits[r][key], spec.least(), spec.most()));
    }
    return Math.exp(Math.clamp(logits[s][key], spec.least(), spec.most())) / sum;
  }

  private static void decayed(
      Forgetting.Spec spec,
      Forgetting.Heads heads,
      int head,
      double[][] logits,
      double[][] x,
      double[][][][] weights) {
    double[][] gates = gates(spec, heads, logits, x);
    for (int i = 0; i < heads.keyDim(); i++) {
      for (int j = 0; j < heads.valueDim(); j++) {
        int at = heads.kvHead(head) * heads.keyDim() + i;
        for (int t = 0; t < x.length; t++) {
          double kept = kept(spec, heads, head, gates == null ? null : gates[t], i, j);
          for (int s = 0; s < t; s++) {
            weights[t][s][i][j] = kept * weights[t - 1][s][i][j];
          }
          weights[t][t][i][j] = spec.makesKeys() ? 1 - kept : logits[t][at];
        }
      }
    }
  }

  private static double kept(
      Forgetting.Spec spec, Forgetting.Heads heads, int head, double[] gates, int i, int j) {
    int group = heads.kvHead(head);
    return switch (spec) {
      case Never.Spec never -> 1;
      case ConstantRates.Spec c when c.rates() == ConstantRates.Rates.LIGHTNING ->
          Math.exp(-c.scale() * Math.pow(2, -8.0 * (head + 1) / heads.heads()));
      case ConstantRates.Spec c -> Math.pow(1 - Math.pow(2, -5 - head), c.scale());
      case ForgetGates.Spec g ->
          switch (g.decay()) {
            case SCALAR -> gates[head];
            case PER_KEY -> gates[group * heads.keyDim() + i];
            default -> gates[group * heads.valueDim() + j];
          };
      case ComplementaryKeys.Spec c -> gates[group * heads.keyDim() + i];
      case RunningSoftmax.Spec s -> throw new AssertionError("has no gates");
    };
  }

  private static double[][] gates(
      Forgetting.Spec spec, Forgetting.Heads heads, double[][] logits, double[][] x) {
    double[][] gates;
    SigmoidRoot function;
    double[] bounds = null;
    if (spec instanceof ForgetGates.Spec g) {
      int cols =
          switch (g.decay()) {
            case SCALAR -> heads.heads();
            case PER_KEY -> heads.kvHeads() * heads.keyDim();
            default -> heads.kvHeads() * heads.valueDim();
          };
      double[][] latent = g.latent() == 0 ? x : projected("decay.latent", g.latent(), x);
      gates = projected("decay", cols, latent);
      double[] bias = g.biased() ? vector("decay.bias", cols, Typical.BIAS) : new double[cols];
      for (double[] row : gates) {
        Arrays.setAll(row, i -> row[i] + bias[i]);
      }
      function = g.function();
    } else if (spec instanceof ComplementaryKeys.Spec c) {
      gates = Arrays.stream(logits).map(double[]::clone).toArray(double[][]::new);
      function = c.function();
      bounds = c.bounds() == null ? null : bounds(c.bounds().layers(), c.bounds().layer(), gates);
    } else {
      return null;
    }
    for (double[] row : gates) {
      double[] least = bounds;
      Arrays.setAll(
          row,
          i -> {
            double gate =
                Math.max(
                    Math.pow(sigmoid(row[i]), 1 / function.root()), Math.exp(function.floor()));
            return least == null ? gate : least[i] + (1 - least[i]) * gate;
          });
    }
    return gates;
  }

  /** The cumulative softmax over the layers, without the first. */
  private static double[] bounds(int layers, int layer, double[][] gates) {
    double[][] logits = rows("bounds", layers, gates[0].length, new Typical(0, 1));
    double[] bounds = new double[gates[0].length];
    for (int i = 0; i < bounds.length; i++) {
      double all = 0;
      double below = 0;
      for (int l = 0; l < layers; l++) {
        all += Math.exp(logits[l][i]);
        below += l > 0 && l <= layer ? Math.exp(logits[l][i]) : 0;
      }
      bounds[i] = below / all;
    }
    return bounds;
  }

  /** What the layer gives of what its heads have read. */
  static double[][] readOut(Readout.Spec s, int valueDim, double[][] o, double[][] x) {
    int cols = o[0].length;
    int width = x[0].length;
    double[][] gates =
        s.gate() == null
            ? null
            : projected(
                "gate",
                cols,
                s.gateLatent() == 0 ? x : projected("gate.latent", s.gateLatent(), x));
    double[][] w = matrix("o", width, cols);
    double[][] y = new double[o.length][];
    for (int t = 0; t < o.length; t++) {
      double[] row = o[t].clone();
      activate(s.function(), row);
      normalize(s, valueDim, row);
      if (gates != null) {
        double[] gate = gates[t];
        activate(s.gate(), gate);
        Arrays.setAll(row, i -> row[i] * gate[i]);
      }
      y[t] = times(w, row);
    }
    return y;
  }

  private static void normalize(Readout.Spec s, int dim, double[] o) {
    if (s.norm() == null) {
      return;
    }
    boolean head = s.normOver() == Readout.NormOver.HEAD;
    double[] weight = vector("norm", head ? dim : o.length, Typical.NORM);
    int size = s.normOver() == Readout.NormOver.ROW ? o.length : dim;
    for (int from = 0; from < o.length; from += size) {
      double squares = 0;
      for (int i = from; i < from + size; i++) {
        squares += o[i] * o[i] / size;
      }
      for (int i = from; i < from + size; i++) {
        o[i] *= weight[head ? i - from : i] / Math.sqrt(squares + s.norm().epsilon());
      }
    }
  }
}
