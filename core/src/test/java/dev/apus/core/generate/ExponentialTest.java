package dev.apus.core.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExponentialTest {

  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-300, 1e-9, 0.34, 0.35, 1, 10, 99.9})
  void agreesWithTheLibraryBelow(double bound) {
    var random = new SplittableRandom(7);
    for (int i = 0; i < 1_000; i++) {
      double x = -bound * random.nextDouble();
      double expected = StrictMath.exp(x);
      assertEquals(expected, Exponential.of(x), 1e-11 * expected + 4e-44, "exp(" + x + ")");
    }
  }

  @Test
  void manyAtOnceAreTheSame() {
    float[] logits = new float[70];
    var random = new SplittableRandom(9);
    for (int i = 0; i < logits.length; i++) {
      logits[i] = 5 - 30 * (float) random.nextDouble();
    }
    double[] weights = new double[67];
    for (int round = 0; round < 3_000; round++) {
      Exponential.fill(weights, 64, logits, 3, 5, 1.25);
    }
    for (int i = 0; i < 64; i++) {
      assertEquals(Exponential.of(((double) logits[3 + i] - 5) * 1.25), weights[i], "at " + i);
    }
    assertEquals(0, weights[64], "one behind");
  }

  @Test
  void isExactAtItsEnds() {
    assertEquals(1, Exponential.of(0));
    assertEquals(1, Exponential.of(-0.0));
    assertEquals(0, Exponential.of(-100));
    assertEquals(0, Exponential.of(-Double.MAX_VALUE));
    assertEquals(0, Exponential.of(Double.NEGATIVE_INFINITY));
  }
}
