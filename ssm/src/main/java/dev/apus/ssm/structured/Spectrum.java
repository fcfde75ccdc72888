package dev.apus.ssm.structured;

import dev.apus.core.config.Config;
import dev.apus.core.weight.WeightScope;
import dev.apus.core.weight.WeightScope.Typical;
import java.util.Arrays;

/**
 * A continuous system {@code h′ = (diag(λ) − p p*) h + b x} of conjugate pairs, of which one number
 * each is kept.
 *
 * @param lambda the diagonal, in the left half plane
 * @param p the matrix of rank one, or null
 */
record Spectrum(Complex[] lambda, Complex[] b, Complex[] p) {

  /** Where a diagonal comes from. */
  enum Source {
    /** The weights {@code decay}, {@code frequency} and {@code b}. */
    LEARNED,
    /** HiPPO-LegS: its normal part, and the rest of it as the matrix of rank one. */
    LEGS,
    /** {@code λ[n] = −1/2 + iπn}, b = 1. */
    LIN,
    /** {@code λ[n] = −1/2 + i (N/π) (N/(2n + 1) − 1)}, b = 1. */
    INV;

    static Source read(Config c) {
      return valueOf(
          c.choice("spectrum", "learned", "learned", "legs", "lin", "inv")
              .toUpperCase(java.util.Locale.ROOT));
    }
  }

  int pairs() {
    return lambda.length;
  }

  /**
   * One of the diagonals that need no weights.
   *
   * @param stateSize real numbers that the system remembers: twice the pairs
   */
  static Spectrum fixed(Source source, int stateSize, boolean lowRank) {
    if (source == Source.LEGS) {
      Hippo legs = Hippo.legs(stateSize);
      return new Spectrum(legs.lambda(), legs.b(), lowRank ? legs.p() : null);
    }
    Complex[] lambda = new Complex[stateSize / 2];
    Complex[] b = new Complex[stateSize / 2];
    Arrays.fill(b, Complex.ONE);
    for (int n = 0; n < lambda.length; n++) {
      double frequency =
          source == Source.LIN
              ? Math.PI * n
              : stateSize / Math.PI * (stateSize / (2.0 * n + 1) - 1);
      lambda[n] = new Complex(-0.5, frequency);
    }
    return new Spectrum(lambda, b, null);
  }

  /**
   * As many systems as the weights hold: {@code decay}, the logarithms of {@code −Re λ}, {@code
   * frequency}, which is {@code Im λ}, {@code b} and, if there is a matrix of rank one, {@code p}.
   * Complex rows hold their real parts first.
   */
  static Spectrum[] learned(WeightScope weights, int count, int pairs, boolean lowRank) {
    float[] decay = weights.table("decay", count, pairs, new Typical(-0.7f, 0.5f));
    float[] frequency = weights.table("frequency", count, pairs, new Typical(30, 30));
    Complex[][] b = complex(weights, "b", count, pairs, new Typical(0, 1));
    Complex[][] p = lowRank ? complex(weights, "p", count, pairs, new Typical(0, 1)) : null;
    Spectrum[] all = new Spectrum[count];
    for (int i = 0; i < count; i++) {
      Complex[] lambda = new Complex[pairs];
      for (int n = 0; n < pairs; n++) {
        int at = i * pairs + n;
        lambda[n] = new Complex(-StrictMath.exp(decay[at]), frequency[at]);
      }
      all[i] = new Spectrum(lambda, b[i], lowRank ? p[i] : null);
    }
    return all;
  }

  /** A table of complex rows, each stored as its real parts and then its imaginary parts. */
  static Complex[][] complex(
      WeightScope weights, String name, int rows, int cols, Typical typical) {
    float[] stored = weights.table(name, rows, 2 * cols, typical);
    Complex[][] table = new Complex[rows][cols];
    for (int row = 0; row < rows; row++) {
      for (int col = 0; col < cols; col++) {
        int at = 2 * row * cols + col;
        table[row][col] = new Complex(stored[at], stored[at + cols]);
      }
    }
    return table;
  }
}
