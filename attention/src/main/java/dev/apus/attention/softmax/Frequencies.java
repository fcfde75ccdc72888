package dev.apus.attention.softmax;

import java.util.List;

/** How fast each pair of values turns under each kind of context extension. */
final class Frequencies {

  private Frequencies() {}

  static float[] of(Rope.Spec spec, int limit) {
    return switch (spec.type()) {
      case "default" -> plain(spec, spec.theta());
      case "linear" -> linear(spec);
      case "dynamic" -> dynamic(spec, limit);
      case "llama3" -> llama3(spec);
      case "yarn" -> yarn(spec);
      case "longrope" -> longRope(spec, limit);
      case "factors" -> divided(spec);
      case "proportional" -> proportional(spec);
      default -> throw new IllegalStateException(spec.type());
    };
  }

  /** The factor on turned queries and keys that goes with the frequencies. */
  static float attentionFactor(Rope.Spec spec) {
    if (spec.attentionFactor() > 0) {
      return (float) spec.attentionFactor();
    }
    return switch (spec.type()) {
      case "yarn" -> spec.factor() <= 1 ? 1 : (float) (0.1 * StrictMath.log(spec.factor()) + 1);
      case "longrope" ->
          spec.factor() <= 1
              ? 1
              : (float)
                  StrictMath.sqrt(
                      1 + StrictMath.log(spec.factor()) / StrictMath.log(spec.original()));
      default -> 1;
    };
  }

  private static float[] plain(Rope.Spec spec, double theta) {
    return powers(theta, spec.dims() / 2, spec.dims());
  }

  /** {@code 1 / θ^(2i / dims)} in single precision, like the references. */
  private static float[] powers(double theta, int count, int dims) {
    float[] frequencies = new float[count];
    for (int i = 0; i < count; i++) {
      float exponent = 2f * i / dims;
      frequencies[i] = 1 / (float) StrictMath.pow(theta, exponent);
    }
    return frequencies;
  }

  private static float[] linear(Rope.Spec spec) {
    float[] frequencies = plain(spec, spec.theta());
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] /= (float) spec.factor();
    }
    return frequencies;
  }

  /**
   * NTK-aware: the base grows with the length, so that the slowest pair just spans the sequence.
   */
  private static float[] dynamic(Rope.Spec spec, int limit) {
    int length = Math.max(limit, spec.original());
    double stretch = spec.factor() * length / spec.original() - (spec.factor() - 1);
    double power = spec.dims() / (spec.dims() - 2.0);
    return plain(spec, spec.theta() * StrictMath.pow(stretch, power));
  }

  /** Slow pairs are slowed by the factor, fast ones kept, those between interpolated. */
  private static float[] llama3(Rope.Spec spec) {
    float[] frequencies = plain(spec, spec.theta());
    double low = spec.original() / spec.lowFrequency();
    double high = spec.original() / spec.highFrequency();
    for (int i = 0; i < frequencies.length; i++) {
      double wavelength = 2 * Math.PI / frequencies[i];
      if (wavelength > low) {
        frequencies[i] = (float) (frequencies[i] / spec.factor());
      } else if (wavelength >= high) {
        double smooth =
            (spec.original() / wavelength - spec.lowFrequency())
                / (spec.highFrequency() - spec.lowFrequency());
        frequencies[i] =
            (float) ((1 - smooth) * frequencies[i] / spec.factor() + smooth * frequencies[i]);
      }
    }
    return frequencies;
  }

  /**
   * Pairs that turn often within the original context are kept, the others slowed, with a ramp.
   *
   * @see <a href="https://arxiv.org/abs/2309.00071">YaRN</a>
   */
  private static float[] yarn(Rope.Spec spec) {
    double low = turnsAt(spec, spec.betaFast());
    double high = turnsAt(spec, spec.betaSlow());
    if (spec.truncate()) {
      low = Math.floor(low);
      high = Math.ceil(high);
    }
    low = Math.max(low, 0);
    high = Math.min(high, spec.dims() - 1.0);
    if (low == high) {
      high += 0.001;
    }
    float[] frequencies = plain(spec, spec.theta());
    for (int i = 0; i < frequencies.length; i++) {
      double ramp = Math.clamp((i - low) / (high - low), 0.0, 1.0);
      frequencies[i] =
          (float) (frequencies[i] / spec.factor() * ramp + frequencies[i] * (1 - ramp));
    }
    return frequencies;
  }

  /** The pair that makes this many turns within the original context. */
  private static double turnsAt(Rope.Spec spec, double turns) {
    return spec.dims()
        * StrictMath.log(spec.original() / (turns * 2 * Math.PI))
        / (2 * StrictMath.log(spec.theta()));
  }

  private static float[] longRope(Rope.Spec spec, int limit) {
    List<Double> factors = limit > spec.original() ? spec.longFactors() : spec.shortFactors();
    float[] frequencies = plain(spec, spec.theta());
    for (int i = 0; i < frequencies.length; i++) {
      float stretched = factors.get(i).floatValue() / frequencies[i];
      frequencies[i] = 1 / stretched;
    }
    return frequencies;
  }

  /** Each pair slowed by a factor of its own. */
  private static float[] divided(Rope.Spec spec) {
    float[] frequencies = plain(spec, spec.theta());
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] /= spec.factors().get(i).floatValue();
    }
    return frequencies;
  }

  /** Frequencies spread over the whole head, of which only the fastest turn. */
  private static float[] proportional(Rope.Spec spec) {
    float[] fast = powers(spec.theta(), spec.dims() / 2, spec.headDim());
    float[] frequencies = new float[spec.headDim() / 2];
    for (int i = 0; i < fast.length; i++) {
      frequencies[i] = fast[i] / (float) spec.factor();
    }
    return frequencies;
  }
}
