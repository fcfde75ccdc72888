package dev.apus.ssm.hyena;

import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;

/**
 * The taps of filters that a small network gives for each position i, computed once in double
 * precision:
 *
 * <pre>
 *   z = (t, cos(f₀ ω), …, −sin(f₀ ω), …)      t = i / (length − 1)      ω = 2π i / length
 *   h ← sin(φ ⊙ (W h + b)) for each layer but the last, from z on
 *   tap = (W_out h) · (exp(−t |δ|) + floor)
 * </pre>
 *
 * <p>The frequencies f go evenly from 1e-4 to the number of sines less one; the rates δ of the
 * channels of all filters, from that of slowDecay to that of fastDecay.
 */
final class ImplicitFilters {

  private final HyenaSpec spec;
  private final int channels;
  private final float[] frequency;
  private final float[][] weights;
  private final float[][] biases;
  private final float[] output;

  /**
   * Reads the weights {@code in}, {@code layers} by number, {@code out} and {@code frequency}, φ.
   *
   * @param channels of all filters together
   */
  ImplicitFilters(HyenaSpec spec, WeightScope scope, int channels) {
    this.spec = spec;
    this.channels = channels;
    int wide = spec.filterWidth();
    int layers = spec.filterLayers() + 1;
    this.frequency = scope.vector("frequency", wide, new Typical(1, 0.5f));
    this.weights = new float[layers][];
    this.biases = new float[layers][];
    for (int i = 0; i < layers; i++) {
      String name = i == 0 ? "in" : "layers." + (i - 1);
      int inputs = i == 0 ? spec.features() : wide;
      Typical typical = new Typical(0, (float) Math.sqrt(3.0 / inputs));
      weights[i] = scope.table(name, wide, inputs, typical);
      biases[i] = scope.vector(name + ".bias", wide, Typical.BIAS);
    }
    this.output = scope.table("out", channels, wide, new Typical(0, (float) Math.sqrt(3.0 / wide)));
  }

  /** The taps of {@code count} channels from one on, as {@code [position][channel]}. */
  float[] taps(int from, int count) {
    float[] taps = new float[Math.multiplyExact(spec.length(), count)];
    for (int i = 0; i < spec.length(); i++) {
      double[] h = features(i);
      for (int layer = 0; layer < weights.length; layer++) {
        h = layer(layer, h);
      }
      double t = (double) i / (spec.length() - 1);
      for (int c = 0; c < count; c++) {
        double sum = 0;
        for (int j = 0; j < h.length; j++) {
          sum += output[(from + c) * h.length + j] * h[j];
        }
        taps[i * count + c] = (float) (sum * (StrictMath.exp(-t * rate(from + c)) + spec.floor()));
      }
    }
    return taps;
  }

  private double[] features(int i) {
    int sines = (spec.features() - 1) / 2;
    double[] z = new double[spec.features()];
    z[0] = (double) i / (spec.length() - 1);
    double omega = 2 * Math.PI * i / spec.length();
    for (int j = 0; j < sines; j++) {
      double f = sines == 1 ? 1e-4 : 1e-4 + j * (sines - 1 - 1e-4) / (sines - 1);
      z[1 + j] = StrictMath.cos(f * omega);
      z[1 + sines + j] = -StrictMath.sin(f * omega);
    }
    return z;
  }

  private double[] layer(int number, double[] x) {
    double[] y = new double[spec.filterWidth()];
    for (int i = 0; i < y.length; i++) {
      double sum = biases[number][i];
      for (int j = 0; j < x.length; j++) {
        sum += weights[number][i * x.length + j] * x[j];
      }
      y[i] = StrictMath.sin(frequency[i] * sum);
    }
    return y;
  }

  private double rate(int channel) {
    double logarithm = -StrictMath.log(spec.fadedTo());
    double slow = logarithm / spec.slowDecay();
    double fast = logarithm / spec.fastDecay();
    return channels == 1 ? slow : slow + channel * (fast - slow) / (channels - 1);
  }
}
