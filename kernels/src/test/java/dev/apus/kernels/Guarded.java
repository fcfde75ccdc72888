package dev.apus.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.Arrays;
import java.util.random.RandomGenerator;

/** Arrays whose values stand between guards that are not numbers. */
public final class Guarded {

  /** Where the values begin; odd, so that nothing is aligned by chance. */
  public static final int AT = 37;

  private Guarded() {}

  /** An array of {@code count} values, each NaN until it is written. */
  public static float[] poisoned(int count) {
    float[] data = new float[AT + count + AT];
    Arrays.fill(data, Float.NaN);
    return data;
  }

  /** Normally distributed values. */
  public static float[] normal(RandomGenerator random, int count) {
    float[] data = poisoned(count);
    for (int i = 0; i < count; i++) {
      data[AT + i] = (float) random.nextGaussian();
    }
    return data;
  }

  /** Values between two limits. */
  public static float[] uniform(RandomGenerator random, int count, float from, float to) {
    float[] data = poisoned(count);
    for (int i = 0; i < count; i++) {
      data[AT + i] = random.nextFloat(from, to);
    }
    return data;
  }

  public static void assertGuardsHold(float[] data) {
    for (int i = 0; i < AT; i++) {
      assertTrue(Float.isNaN(data[i]), "wrote before its values");
      assertTrue(Float.isNaN(data[data.length - 1 - i]), "wrote past its values");
    }
  }

  /** All bits equal, but for what a NaN carries. */
  public static void assertSameBits(float[] expected, float[] actual, String what) {
    assertEquals(expected.length, actual.length, what);
    for (int i = 0; i < expected.length; i++) {
      if (Float.floatToIntBits(expected[i]) != Float.floatToIntBits(actual[i])) {
        assertEquals(expected[i], actual[i], what + " [" + (i - AT) + "]");
      }
    }
  }
}
