package dev.apus.attention.learning;

import static dev.apus.testing.MixerBench.matrix;
import static dev.apus.testing.MixerBench.rows;
import static dev.apus.testing.MixerBench.sigmoid;
import static dev.apus.testing.MixerBench.times;
import static dev.apus.testing.MixerBench.vector;

import dev.apus.core.weight.WeightScope.Typical;
import java.util.Arrays;

/** Titans' memory in double precision, token by token, with all of its weights after each. */
final class ExactMemory {

  private final NeuralMemory.Spec spec;
  private final String prefix;
  private final ExactModel[] now;
  private final ExactModel[] before;
  private final ExactModel[] velocity;
  private int tokens;

  ExactMemory(NeuralMemory.Spec spec, String prefix) {
    this.spec = spec;
    this.prefix = prefix;
    this.now = new ExactModel[spec.heads()];
    Arrays.setAll(now, i -> ExactModel.random(spec.inner(), spec.heads(), i, 0, prefix));
    this.before = now.clone();
    this.velocity = new ExactModel[spec.heads()];
    Arrays.setAll(velocity, i -> now[i].zeros());
  }

  /** Queries, keys and values of all tokens, before the silu. */
  double[][] mixed(double[][] x) {
    int cols = spec.cols();
    double[][] mixed = new double[x.length][];
    for (int t = 0; t < x.length; t++) {
      mixed[t] = new double[3 * cols];
      for (int part = 0; part < 3; part++) {
        double[] row = projected("qkv".substring(part, part + 1), cols, x[t]);
        System.arraycopy(row, 0, mixed[t], part * cols, cols);
      }
    }
    return spec.taps() == 0 ? mixed : convolved(mixed);
  }

  private double[][] convolved(double[][] x) {
    int taps = spec.taps();
    double[][] weight = rows(prefix + "conv", x[0].length, taps, new Typical(0, 0.5f));
    double[][] y = new double[x.length][x[0].length];
    for (int t = 0; t < x.length; t++) {
      for (int c = 0; c < y[t].length; c++) {
        for (int tap = Math.max(0, taps - 1 - t); tap < taps; tap++) {
          y[t][c] += weight[c][tap] * x[t - taps + 1 + tap][c];
        }
      }
    }
    return y;
  }

  private double[] projected(String name, int outputs, double[] x) {
    return times(matrix(prefix + name, outputs, x.length), x);
  }

  /** One head's query, key or value, after the silu. */
  private double[] part(double[] mixed, int part, int head, boolean unit) {
    int dim = spec.inner().dim();
    int at = part * spec.cols() + head * dim;
    double[] row = Arrays.copyOfRange(mixed, at, at + dim);
    Arrays.setAll(row, i -> row[i] * sigmoid(row[i]));
    double squares = Arrays.stream(row).map(v -> v * v).sum();
    double length = unit ? Math.sqrt(squares + 1e-6) : 1;
    return Arrays.stream(row).map(v -> v / length).toArray();
  }

  private double rate(String name, int head, double[] x) {
    double[] rates = projected(name, spec.heads(), x);
    return sigmoid(rates[head] + vector(prefix + name + ".bias", spec.heads(), Typical.BIAS)[head]);
  }

  /** What the memory gives for a row's query as the chunk under way has found it. */
  double[] retrieve(double[] x) {
    double[] o = new double[spec.cols()];
    double[] q = projected("q", spec.cols(), x);
    for (int head = 0; head < spec.heads(); head++) {
      put(before[head].map(part(q, 0, head, true)), head, o);
    }
    return o;
  }

  /** Learns from a row, whose {@link #mixed} is known, and maps its query. */
  double[] advance(double[] x, double[] mixed) {
    double[] o = new double[spec.cols()];
    for (int head = 0; head < spec.heads(); head++) {
      if (tokens % spec.chunk() == 0) {
        before[head] = now[head];
      }
      double[] k = part(mixed, 1, head, true);
      ExactModel gradient = before[head].gradient(k, part(mixed, 2, head, false));
      ExactModel carried = velocity[head].plus(rate("eta", head, x) - 1, velocity[head]);
      velocity[head] = carried.plus(-spec.rate() * rate("theta", head, x), gradient);
      ExactModel kept = now[head].plus(-rate("alpha", head, x), now[head]);
      now[head] = kept.plus(1, velocity[head]);
      put(now[head].map(part(mixed, 0, head, true)), head, o);
    }
    tokens++;
    if (tokens % spec.chunk() == 0) {
      System.arraycopy(now, 0, before, 0, now.length);
    }
    return o;
  }

  private void put(double[] values, int head, double[] o) {
    System.arraycopy(values, 0, o, head * values.length, values.length);
  }
}
