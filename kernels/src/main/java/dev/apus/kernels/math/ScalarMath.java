package dev.apus.kernels.math;

import static dev.apus.kernels.math.Approximations.*;

/**
 * The transcendental functions of every kernel: their definition, operation by operation. {@link
 * VectorMath} performs the same operations on every lane.
 *
 * <p>NaN gives NaN everywhere, and the infinities give the functions' limits.
 */
public final class ScalarMath {

  private ScalarMath() {}

  /**
   * {@code eˣ} with a relative error below 9e-8. A result that would not be a normal float is 0,
   * one that would be too large is ∞.
   *
   * <p>With n the integer nearest to x / ln 2 and r = x − n ln 2, {@code eˣ = 2ⁿ · eʳ}; the power
   * of two is added to the exponent bits.
   */
  public static float exp(float x) {
    float y = normalExp(x);
    y = x < EXP_LOWEST ? 0 : y;
    y = x > EXP_HIGHEST ? Float.POSITIVE_INFINITY : y;
    return x != x ? x : y;
  }

  /** {@link #exp} of a number whose exponential is a normal float. */
  private static float normalExp(float x) {
    float shifted = Math.fma(x, LOG2_E, ROUNDER);
    float n = shifted - ROUNDER;
    float r = Math.fma(n, -LN_2_REST, Math.fma(n, -LN_2, x));
    float p = Math.fma(EXP_4, r, EXP_3);
    p = Math.fma(p, r, EXP_2);
    p = Math.fma(p, r, EXP_1);
    p = Math.fma(p, r, EXP_0);
    p = Math.fma(p, r, 1);
    p = Math.fma(p, r, 1);
    int power = Float.floatToRawIntBits(shifted) << FRACTION_BITS;
    return Float.intBitsToFloat(Float.floatToRawIntBits(p) + power);
  }

  /** {@code 1 / (1 + e⁻ˣ)} with a relative error below 1.8e-7 where it is a normal float. */
  public static float sigmoid(float x) {
    return 1 / (1 + exp(-x));
  }

  /** The hyperbolic tangent with a relative error below 1.8e-7. */
  public static float tanh(float x) {
    float z = x * x;
    float p = Math.fma(TANH_4, z, TANH_3);
    p = Math.fma(p, z, TANH_2);
    p = Math.fma(p, z, TANH_1);
    p = Math.fma(p, z, TANH_0);
    float small = Math.fma(x * z, p, x);
    float size = Math.abs(x);
    float a = size > TANH_ONE ? TANH_ONE : size;
    float large = 1 - 2 / (normalExp(2 * a) + 1);
    return size >= TANH_SPLIT ? x < 0 ? -large : large : small;
  }

  /** The error function with an absolute error below 1.2e-7. */
  public static float erf(float x) {
    float z = x * x;
    float p = Math.fma(ERF_5, z, ERF_4);
    p = Math.fma(p, z, ERF_3);
    p = Math.fma(p, z, ERF_2);
    p = Math.fma(p, z, ERF_1);
    p = Math.fma(p, z, ERF_0);
    float small = x * p;
    float size = Math.abs(x);
    float a = size > ERF_ONE ? ERF_ONE : size;
    float q = Math.fma(ERFC_5, a, ERFC_4);
    q = Math.fma(q, a, ERFC_3);
    q = Math.fma(q, a, ERFC_2);
    q = Math.fma(q, a, ERFC_1);
    q = Math.fma(q, a, ERFC_0);
    float large = 1 - normalExp(q);
    return size >= ERF_SPLIT ? x < 0 ? -large : large : small;
  }

  /**
   * {@code ln(1 + eˣ)} with a relative error below 2.5e-7, as {@code max(x, 0) + ln(1 + e^−|x|)}:
   * finite for every finite x, and 0 where {@link #exp} of x is 0.
   *
   * <p>{@code ln(1 + u) = 2 atanh(u / (2 + u))} for u in [0, 1].
   */
  public static float softplus(float x) {
    float u = exp(-Math.abs(x));
    float s = u / (2 + u);
    float z = s * s;
    float p = Math.fma(LOG_3, z, LOG_2);
    p = Math.fma(p, z, LOG_1);
    p = Math.fma(p, z, LOG_0);
    float log = Math.fma(s * z, p, 2 * s);
    return (x > 0 ? x : 0) + log;
  }
}
