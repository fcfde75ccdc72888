package dev.apus.core.generate;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ExponentialTest {

  @ParameterizedTest
  @ValueSource(doubles = {0, 1e-300, 1e-9, 0.34, 0.35, 1, 10, 100, 699.9})
  void agreesWithTheLibraryBelow(double bound) {
    var random = new SplittableRandom(7);
    for (int i = 0; i < 1_000; i++) {
      double x = -bound * random.nextDouble();
      double expected = StrictMath.exp(x);
      assertEquals(expected, Exponential.of(x), 1e-14 * expected, "exp(" + x + ")");
    }
  }

  @Test
  void isExactAtItsEnds() {
    assertEquals(1, Exponential.of(0));
    assertEquals(1, Exponential.of(-0.0));
    assertEquals(0, Exponential.of(-701));
    assertEquals(0, Exponential.of(-Double.MAX_VALUE));
    assertEquals(0, Exponential.of(Double.NEGATIVE_INFINITY));
  }
}
