package dev.apus.kernels.attention;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class AffineColumnsTest {

  private static final int LANES = SpannedAttention.LANES;

  private static float[] decoded(AffineColumns columns, float[] values, int count) {
    MemorySegment memory = MemorySegment.ofArray(new byte[columns.bytes() + 3]);
    memory.fill((byte) 0x55);
    columns.encode(values, 1, memory, 3, count);
    float[] found = new float[LANES];
    columns.load(memory, 3, 0, found, 0, LANES);
    for (int i = 0; i < LANES; i++) {
      float[] one = new float[2];
      columns.load(memory, 3, i, one, 1, 1);
      assertEquals(found[i], one[1]);
    }
    return found;
  }

  /** Base and step lose up to 2⁻⁷ of what they are, which makes the steps longer. */
  @ParameterizedTest
  @EnumSource
  void noValueIsOffByMoreThanHalfAStep(AffineColumns columns) {
    var random = new SplittableRandom(7);
    int steps = (1 << columns.bits()) - 1;
    for (int round = 0; round < 2000; round++) {
      int count = 1 + random.nextInt(LANES);
      double offset = round % 3 * 100 * random.nextGaussian();
      double size = Math.scalb(1.0, random.nextInt(60) - 30);
      float[] values = new float[1 + LANES];
      values[0] = Float.NaN;
      float low = Float.POSITIVE_INFINITY;
      float high = Float.NEGATIVE_INFINITY;
      for (int i = 1; i <= LANES; i++) {
        values[i] = i <= count ? (float) (size * (offset + random.nextGaussian())) : Float.NaN;
        low = i <= count ? Math.min(low, values[i]) : low;
        high = i <= count ? Math.max(high, values[i]) : high;
      }
      float[] found = decoded(columns, values, count);
      double greatest = Math.max(Math.abs(low), Math.abs(high));
      double range = high - low + 2 * 0x1p-7 * greatest;
      double half = range * (1 + 0x1p-6) / steps / 2 + 4 * Math.ulp((float) greatest);
      for (int i = 0; i < count; i++) {
        assertEquals(values[1 + i], found[i], half, "round " + round);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void equalValuesAreExactInHalves(AffineColumns columns) {
    for (float value : new float[] {0, 1, -3.5f, 0x1.fep100f, -0x1p-60f}) {
      float[] values = new float[1 + LANES];
      Arrays.fill(values, value);
      for (float found : decoded(columns, values, LANES)) {
        assertEquals(value, found);
      }
    }
  }

  @ParameterizedTest
  @EnumSource
  void whatIsNotFiniteShows(AffineColumns columns) {
    for (float odd : new float[] {Float.NaN, Float.POSITIVE_INFINITY, Float.NEGATIVE_INFINITY}) {
      float[] values = new float[1 + LANES];
      values[9] = odd;
      for (float found : decoded(columns, values, LANES)) {
        assertTrue(Float.isNaN(found));
      }
    }
    float[] far = new float[1 + LANES];
    far[1] = -Float.MAX_VALUE;
    far[2] = Float.MAX_VALUE;
    assertTrue(Float.isNaN(decoded(columns, far, LANES)[5]));
  }

  @ParameterizedTest
  @EnumSource
  void lanesAreNotStoredOneByOne(AffineColumns columns) {
    MemorySegment memory = MemorySegment.ofArray(new byte[columns.bytes()]);
    assertThrows(
        UnsupportedOperationException.class, () -> columns.store(new float[1], 0, memory, 0, 0, 1));
  }
}
