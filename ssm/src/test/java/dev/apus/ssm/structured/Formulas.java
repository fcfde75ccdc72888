package dev.apus.ssm.structured;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;

import dev.apus.core.weight.WeightScope.Typical;

/** The formulas of structured state spaces in double precision. */
final class Formulas {

  private static final Typical NORMAL = new Typical(0, 1);

  private Formulas() {}

  /** {@code y[t] = Σ kernel[i] x[t − i] + d x[t]} for each channel. */
  static double[][] convolved(double[][] kernels, double[] d, double[][] x) {
    double[][] y = new double[x.length][d.length];
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < d.length; c++) {
        y[t][c] = d[c] * x[t][c];
        for (int i = 0; i <= t; i++) {
          y[t][c] += kernels[c][i] * x[t - i][c];
        }
      }
    }
    return y;
  }

  /** The convolution kernel of each of {@code count} systems as the weights have them. */
  static double[][] kernels(ChannelSystems.Spec spec, int count, int length) {
    int pairs = spec.pairs();
    double[] step = vector("step", count, new Typical(-4.6f, 2.3f));
    double[][] c = rows("c", count, 2 * pairs, NORMAL);
    double[][] kernels = new double[count][];
    for (int i = 0; i < count; i++) {
      double[][] system = system(spec, i);
      double size = Math.exp(step[i]);
      kernels[i] =
          spec.lowRank()
              ? lowRank(system, c[i], size, length)
              : diagonal(spec, system, c[i], size, length);
    }
    return kernels;
  }

  /** λ, b and p of one system, each as real parts and then imaginary parts. */
  private static double[][] system(ChannelSystems.Spec spec, int channel) {
    int pairs = spec.pairs();
    double[][] system = new double[3][2 * pairs];
    if (spec.spectrum() == Spectrum.Source.LEARNED) {
      int copy = channel % spec.copies();
      double[] decay = rows("decay", spec.copies(), pairs, new Typical(-0.7f, 0.5f))[copy];
      double[] frequency = rows("frequency", spec.copies(), pairs, new Typical(30, 30))[copy];
      for (int n = 0; n < pairs; n++) {
        system[0][n] = -Math.exp(decay[n]);
        system[0][pairs + n] = frequency[n];
      }
      system[1] = rows("b", spec.copies(), 2 * pairs, NORMAL)[copy];
      system[2] = spec.lowRank() ? rows("p", spec.copies(), 2 * pairs, NORMAL)[copy] : null;
      return system;
    }
    int size = spec.stateSize();
    for (int n = 0; n < pairs; n++) {
      system[0][n] = -0.5;
      system[1][n] = 1;
      switch (spec.spectrum()) {
        case LIN -> system[0][pairs + n] = Math.PI * n;
        case INV -> system[0][pairs + n] = size / Math.PI * (size / (2.0 * n + 1) - 1);
        default -> {
          Hippo legs = Hippo.legs(size);
          system[0][pairs + n] = legs.lambda()[n].im();
          system[1][n] = legs.b()[n].re();
          system[2][n] = legs.b()[n].re() * Math.sqrt(0.5);
        }
      }
    }
    return system;
  }

  private static double[] diagonal(
      ChannelSystems.Spec spec, double[][] system, double[] c, double step, int length) {
    int pairs = spec.pairs();
    double[] kernel = new double[length];
    for (int n = 0; n < pairs; n++) {
      double re = system[0][n];
      double im = system[0][pairs + n];
      Complex lambda = new Complex(re, im);
      Complex weight =
          new Complex(c[n], c[pairs + n])
              .times(new Complex(system[1][n], system[1][pairs + n]))
              .times(2);
      Complex decay = polar(step * re, step * im);
      Complex gain;
      switch (spec.discretization()) {
        case ZOH -> gain = decay.plus(-1).over(lambda);
        case BILINEAR -> {
          Complex denominator = lambda.times(-step / 2).plus(1);
          decay = lambda.times(step / 2).plus(1).over(denominator);
          gain = new Complex(step, 0).over(denominator);
        }
        default -> {
          // The row of a softmax: every power over the sum of all.
          Complex sum = new Complex(0, 0);
          for (int i = 0; i < spec.length(); i++) {
            sum = sum.plus(polar(i * step * re, i * step * im));
          }
          gain = Complex.ONE.over(lambda.times(sum));
        }
      }
      Complex term = weight.times(gain);
      for (int i = 0; i < length; i++) {
        kernel[i] += term.re();
        term = term.times(decay);
      }
    }
    return kernel;
  }

  private static Complex polar(double logarithm, double angle) {
    double size = Math.exp(logarithm);
    return new Complex(size * Math.cos(angle), size * Math.sin(angle));
  }

  /** As a real system of real and imaginary parts, made discrete by solving for each token. */
  private static double[] lowRank(double[][] system, double[] c, double step, int length) {
    int size = c.length;
    int pairs = size / 2;
    double[][] a =
        Dense.of(
            size,
            h -> {
              double held = 2 * Dense.dot(system[2], h);
              double[] out = new double[size];
              for (int n = 0; n < pairs; n++) {
                double re = system[0][n];
                double im = system[0][pairs + n];
                out[n] = re * h[n] - im * h[pairs + n] - system[2][n] * held;
                out[pairs + n] = re * h[pairs + n] + im * h[n] - system[2][pairs + n] * held;
              }
              return out;
            });
    double[] read = new double[size];
    for (int n = 0; n < pairs; n++) {
      read[n] = 2 * c[n];
      read[pairs + n] = -2 * c[pairs + n];
    }
    return Dense.bilinear(a, system[1], read, step, length);
  }

  static double[][] readOut(Readout.Way way, boolean biased, double[][] s) {
    double[][] y = new double[s.length][];
    int width = s[0].length;
    for (int t = 0; t < s.length; t++) {
      double[] g = new double[width];
      for (int i = 0; i < width; i++) {
        g[i] = s[t][i] * (1 + erf(s[t][i] / Math.sqrt(2))) / 2;
      }
      y[t] =
          switch (way) {
            case FULL_GLU, LINEAR -> affine("o", biased, g);
            case HALF_GLU2 -> s[t];
            default -> g;
          };
      if (way != Readout.Way.LINEAR && way != Readout.Way.GELU) {
        double[] gate = affine("gate", biased, g);
        y[t] = y[t].clone();
        for (int i = 0; i < width; i++) {
          y[t][i] *= sigmoid(gate[i]);
        }
      }
    }
    return y;
  }

  private static double[] affine(String name, boolean biased, double[] x) {
    double[] y = times(matrix(name, x.length, x.length), x);
    double[] bias = biased ? vector(name + ".bias", x.length, Typical.BIAS) : new double[x.length];
    for (int i = 0; i < x.length; i++) {
      y[i] += bias[i];
    }
    return y;
  }

  /** The error function by its power series, which is precise enough for |x| below 4. */
  private static double erf(double x) {
    if (Math.abs(x) > 4) {
      return Math.signum(x);
    }
    double term = x;
    double sum = x;
    for (int n = 1; n < 200; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return 2 / Math.sqrt(Math.PI) * sum;
  }
}
