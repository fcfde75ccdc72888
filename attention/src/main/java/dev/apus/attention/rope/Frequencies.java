package dev.apus.attention.rope;

import dev.apus.attention.rope.Stretching.Dynamic;
import dev.apus.attention.rope.Stretching.Factors;
import dev.apus.attention.rope.Stretching.Linear;
import dev.apus.attention.rope.Stretching.Llama3;
import dev.apus.attention.rope.Stretching.LongRope;
import dev.apus.attention.rope.Stretching.Plain;
import dev.apus.attention.rope.Stretching.Proportional;
import dev.apus.attention.rope.Stretching.Yarn;
import java.util.List;

/** How fast each pair of values turns under each kind of context extension. */
final class Frequencies {

  private Frequencies() {}

  static float[] of(Rope.Spec spec, int limit) {
    return switch (spec.stretching()) {
      case Plain plain -> plain(spec, spec.theta());
      case Linear linear -> linear(spec, linear);
      case Dynamic dynamic -> dynamic(spec, dynamic, limit);
      case Llama3 llama3 -> llama3(spec, llama3);
      case Yarn yarn -> yarn(spec, yarn);
      case LongRope longRope -> longRope(spec, longRope, limit);
      case Factors factors -> divided(spec, factors);
      case Proportional proportional -> proportional(spec, proportional);
    };
  }

  /** The factor on turned queries and keys that goes with the frequencies. */
  static float attentionFactor(Rope.Spec spec) {
    if (spec.attentionFactor() > 0) {
      return spec.attentionFactor();
    }
    return switch (spec.stretching()) {
      case Yarn y when y.factor() > 1 -> (float) (0.1 * StrictMath.log(y.factor()) + 1);
      case LongRope l when l.factor() > 1 ->
          (float) StrictMath.sqrt(1 + StrictMath.log(l.factor()) / StrictMath.log(l.original()));
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

  private static float[] linear(Rope.Spec spec, Linear linear) {
    float[] frequencies = plain(spec, spec.theta());
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] /= (float) linear.factor();
    }
    return frequencies;
  }

  /**
   * NTK-aware: the base grows with the length, so that the slowest pair just spans the sequence.
   */
  private static float[] dynamic(Rope.Spec spec, Dynamic dynamic, int limit) {
    int length = Math.max(limit, dynamic.original());
    double stretch = dynamic.factor() * length / dynamic.original() - (dynamic.factor() - 1);
    double power = spec.dims() / (spec.dims() - 2.0);
    return plain(spec, spec.theta() * StrictMath.pow(stretch, power));
  }

  /** Slow pairs are slowed by the factor, fast ones kept, those between, if any, interpolated. */
  private static float[] llama3(Rope.Spec spec, Llama3 llama3) {
    float[] frequencies = plain(spec, spec.theta());
    double low = llama3.original() / llama3.lowFrequency();
    double high = llama3.original() / llama3.highFrequency();
    for (int i = 0; i < frequencies.length; i++) {
      double wavelength = 2 * Math.PI / frequencies[i];
      if (wavelength > low) {
        frequencies[i] = (float) (frequencies[i] / llama3.factor());
      } else if (wavelength >= high && low > high) {
        double smooth =
            (llama3.original() / wavelength - llama3.lowFrequency())
                / (llama3.highFrequency() - llama3.lowFrequency());
        frequencies[i] =
            (float) ((1 - smooth) * frequencies[i] / llama3.factor() + smooth * frequencies[i]);
      }
    }
    return frequencies;
  }

  /**
   * Pairs that turn often within the original context are kept, the others slowed, with a ramp.
   *
   * @see <a href="https://arxiv.org/abs/2309.00071">YaRN</a>
   */
  private static float[] yarn(Rope.Spec spec, Yarn yarn) {
    double low = turnsAt(spec, yarn, yarn.betaFast());
    double high = turnsAt(spec, yarn, yarn.betaSlow());
    if (yarn.truncate()) {
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
          (float) (frequencies[i] / yarn.factor() * ramp + frequencies[i] * (1 - ramp));
    }
    return frequencies;
  }

  /** The pair that makes this many turns within the original context. */
  private static double turnsAt(Rope.Spec spec, Yarn yarn, double turns) {
    return spec.dims()
        * StrictMath.log(yarn.original() / (turns * 2 * Math.PI))
        / (2 * StrictMath.log(spec.theta()));
  }

  private static float[] longRope(Rope.Spec spec, LongRope longRope, int limit) {
    List<Double> factors =
        limit > longRope.original() ? longRope.longFactors() : longRope.shortFactors();
    float[] frequencies = plain(spec, spec.theta());
    for (int i = 0; i < frequencies.length; i++) {
      float stretched = factors.get(i).floatValue() / frequencies[i];
      frequencies[i] = 1 / stretched;
    }
    return frequencies;
  }

  /** Each pair slowed by a factor of its own. */
  private static float[] divided(Rope.Spec spec, Factors factors) {
    float[] frequencies = plain(spec, spec.theta());
    for (int i = 0; i < frequencies.length; i++) {
      frequencies[i] /= factors.factors().get(i).floatValue();
    }
    return frequencies;
  }

  /** Frequencies spread over the whole head, of which only the fastest turn. */
  private static float[] proportional(Rope.Spec spec, Proportional proportional) {
    float[] fast = powers(spec.theta(), spec.dims() / 2, spec.headDim());
    float[] frequencies = new float[spec.headDim() / 2];
    for (int i = 0; i < fast.length; i++) {
      frequencies[i] = fast[i] / (float) proportional.factor();
    }
    return frequencies;
  }
}
