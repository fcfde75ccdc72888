package dev.apus.kernels.math;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.function.DoubleUnaryOperator;
import org.junit.jupiter.api.Test;

/** The functions against double precision, over floats of every sign and magnitude. */
class ScalarMathTest {

  private interface FloatFunction {
    float of(float x);
  }

  /** A prime step through the bit patterns, so that about a million floats are visited. */
  private static final int STEP = 4099;

  @Test
  void expIsAsPreciseAsItSays() {
    assertRelative(9e-8, ScalarMath::exp, StrictMath::exp);
  }

  @Test
  void sigmoidIsAsPreciseAsItSays() {
    assertRelative(1.8e-7, ScalarMath::sigmoid, x -> 1 / (1 + StrictMath.exp(-x)));
  }

  @Test
  void tanhIsAsPreciseAsItSays() {
    assertRelative(1.8e-7, ScalarMath::tanh, StrictMath::tanh);
  }

  @Test
  void softplusIsAsPreciseAsItSays() {
    assertRelative(
        2.5e-7,
        ScalarMath::softplus,
        x -> Math.max(x, 0) + StrictMath.log1p(StrictMath.exp(-Math.abs(x))));
  }

  @Test
  void erfIsAsPreciseAsItSays() {
    for (float x = -4; x <= 4; x += 0x1p-12f) {
      assertEquals(erf(x), ScalarMath.erf(x), 1.2e-7, "erf " + x);
    }
    for (float x = 4; x < Float.POSITIVE_INFINITY; x *= 2) {
      assertEquals(1, ScalarMath.erf(x));
      assertEquals(-1, ScalarMath.erf(-x));
    }
  }

  @Test
  void expEndsAtTheNormalFloats() {
    assertEquals(0, ScalarMath.exp(Math.nextDown(-0x1.5d589ep6f)));
    assertTrue(ScalarMath.exp(-0x1.5d589ep6f) >= Float.MIN_NORMAL);
    assertTrue(ScalarMath.exp(0x1.62e42ep6f) < Float.POSITIVE_INFINITY);
    assertEquals(Float.POSITIVE_INFINITY, ScalarMath.exp(Math.nextUp(0x1.62e42ep6f)));
    assertEquals(1, ScalarMath.exp(0));
  }

  @Test
  void theInfinitiesGiveTheLimits() {
    float infinity = Float.POSITIVE_INFINITY;
    assertEquals(infinity, ScalarMath.exp(infinity));
    assertEquals(0, ScalarMath.exp(-infinity));
    assertEquals(1, ScalarMath.sigmoid(infinity));
    assertEquals(0, ScalarMath.sigmoid(-infinity));
    assertEquals(1, ScalarMath.tanh(infinity));
    assertEquals(-1, ScalarMath.tanh(-infinity));
    assertEquals(1, ScalarMath.erf(infinity));
    assertEquals(-1, ScalarMath.erf(-infinity));
    assertEquals(infinity, ScalarMath.softplus(infinity));
    assertEquals(0, ScalarMath.softplus(-infinity));
  }

  @Test
  void nanStaysNan() {
    float payload = Float.intBitsToFloat(0x7fc00001);
    for (float x : new float[] {Float.NaN, payload, -payload}) {
      assertTrue(Float.isNaN(ScalarMath.exp(x)));
      assertTrue(Float.isNaN(ScalarMath.sigmoid(x)));
      assertTrue(Float.isNaN(ScalarMath.tanh(x)));
      assertTrue(Float.isNaN(ScalarMath.erf(x)));
      assertTrue(Float.isNaN(ScalarMath.softplus(x)));
    }
  }

  @Test
  void softplusOfLargeNumbersIsTheNumberOrNothing() {
    for (float x : new float[] {100, 1e4f, Float.MAX_VALUE}) {
      assertEquals(x, ScalarMath.softplus(x));
      assertEquals(0, ScalarMath.softplus(-x));
    }
  }

  private static void assertRelative(
      double bound, FloatFunction actual, DoubleUnaryOperator expected) {
    for (long bits = 0; bits < 1L << 32; bits += STEP) {
      float x = Float.intBitsToFloat((int) bits);
      double y = expected.applyAsDouble(x);
      if (Math.abs(y) >= Float.MIN_NORMAL && Math.abs(y) <= Float.MAX_VALUE) {
        double error = Math.abs(actual.of(x) / y - 1);
        assertTrue(error <= bound, () -> "relative error " + error + " at " + x);
      }
    }
  }

  /** By the power series, whose terms stay below 1e7 for |x| up to 4. */
  private static double erf(double x) {
    double term = x;
    double sum = x;
    for (int n = 1; n < 200; n++) {
      term *= -x * x / n;
      sum += term / (2 * n + 1);
    }
    return sum * 2 / Math.sqrt(Math.PI);
  }
}
