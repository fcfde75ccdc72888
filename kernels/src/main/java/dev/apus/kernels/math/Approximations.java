package dev.apus.kernels.math;

/**
 * The constants of the approximations, shared by their scalar and vector forms. The polynomials are
 * minimax fits on the intervals named, lowest power first.
 */
final class Approximations {

  static final float LOG2_E = 0x1.715476p0f;

  /** ln 2 rounded to a float, and the rest of it. */
  static final float LN_2 = 0x1.62e430p-1f;

  static final float LN_2_REST = -0x1.05c610p-29f;

  /** Adding this to a number below 2²² leaves the nearest integer in the low bits of the sum. */
  static final float ROUNDER = 0x1.8p23f;

  static final int FRACTION_BITS = 23;

  /** The least x whose exponential is a normal float, and the greatest whose is finite. */
  static final float EXP_LOWEST = -0x1.5d589ep6f;

  static final float EXP_HIGHEST = 0x1.62e42ep6f;

  /** {@code (eʳ − 1 − r) / r²} for |r| ≤ ln 2 / 2. */
  static final float EXP_0 = 0x1.fffffcp-2f;

  static final float EXP_1 = 0x1.555490p-3f;
  static final float EXP_2 = 0x1.5558f6p-5f;
  static final float EXP_3 = 0x1.123a8ep-7f;
  static final float EXP_4 = 0x1.6a2318p-10f;

  /** Below this size tanh is a polynomial, above it an exponential. */
  static final float TANH_SPLIT = 0.625f;

  /** From here on tanh rounds to one. */
  static final float TANH_ONE = 10;

  /** {@code (tanh x − x) / x³} in x², for |x| ≤ 0.625. */
  static final float TANH_0 = -0x1.555532p-2f;

  static final float TANH_1 = 0x1.110726p-3f;
  static final float TANH_2 = -0x1.b83c5ap-5f;
  static final float TANH_3 = 0x1.52269cp-6f;
  static final float TANH_4 = -0x1.75e1d2p-8f;

  /** Below this size erf is a polynomial, above it one minus an exponential. */
  static final float ERF_SPLIT = 1;

  /** {@code erf x / x} in x², for |x| ≤ 1. */
  static final float ERF_0 = 0x1.20dd74p0f;

  static final float ERF_1 = -0x1.812674p-2f;
  static final float ERF_2 = 0x1.ce0942p-4f;
  static final float ERF_3 = -0x1.b5a35cp-6f;
  static final float ERF_4 = 0x1.4246d2p-8f;
  static final float ERF_5 = -0x1.273faap-11f;

  /** From here on erf rounds to one. */
  static final float ERF_ONE = 4;

  /** {@code ln(1 − erf x)} for 1 ≤ x ≤ 4. */
  static final float ERFC_0 = -0x1.47473ep-9f;

  static final float ERFC_1 = -0x1.1e372ap0f;
  static final float ERFC_2 = -0x1.4eb2a4p-1f;
  static final float ERFC_3 = -0x1.6d1f12p-4f;
  static final float ERFC_4 = 0x1.e98212p-7f;
  static final float ERFC_5 = -0x1.32c80ep-10f;

  /** {@code (2 atanh s − 2 s) / s³} in s², for 0 ≤ s ≤ 1/3. */
  static final float LOG_0 = 0x1.555502p-1f;

  static final float LOG_1 = 0x1.99d208p-2f;
  static final float LOG_2 = 0x1.1ebd0ep-2f;
  static final float LOG_3 = 0x1.1ed7bep-2f;

  private Approximations() {}
}
