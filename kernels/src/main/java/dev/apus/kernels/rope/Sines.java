package dev.apus.kernels.rope;

/** The constants of angles, sines and cosines; the polynomials are fits on |r| ≤ π/4. */
final class Sines {

  /** Adding this to a number below 2²² leaves the nearest integer in the low bits of the sum. */
  static final float ROUNDER = 0x1.8p23f;

  /** 1 / 2π, 2π rounded to a float, and the rest of it. */
  static final float TURNS = 0x1.45f306p-3f;

  static final float TURN = 0x1.921fb6p2f;
  static final float TURN_REST = -0x1.777a5cp-23f;

  /** 2 / π, π / 2 rounded to a float, and the rest of it. */
  static final float QUARTERS = 0x1.45f306p-1f;

  static final float QUARTER = 0x1.921fb6p0f;
  static final float QUARTER_REST = -0x1.777a5cp-25f;

  /** {@code (sin r − r) / r³} in r². */
  static final float SIN_0 = -0x1.555552p-3f;

  static final float SIN_1 = 0x1.110c26p-7f;
  static final float SIN_2 = -0x1.9ac856p-13f;

  /** {@code (cos r − 1 + r²/2) / r⁴} in r². */
  static final float COS_0 = 0x1.555554p-5f;

  static final float COS_1 = -0x1.6c12d0p-10f;
  static final float COS_2 = 0x1.9bd786p-16f;

  private Sines() {}
}
