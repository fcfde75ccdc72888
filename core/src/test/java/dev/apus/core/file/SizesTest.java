package dev.apus.core.file;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import java.math.BigInteger;
import java.util.List;
import java.util.SplittableRandom;
import java.util.function.LongBinaryOperator;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Sizes against arithmetic without limits, most of all where 64 bits end. */
class SizesTest {

  private static final Place PLACE = Place.tensor("model.gguf", "a");
  private static final BigInteger MOST = BigInteger.valueOf(Long.MAX_VALUE);

  @Test
  void timesAndPlusAreExactOrRefuse() {
    var random = new SplittableRandom(1);
    for (int i = 0; i < 20_000; i++) {
      long a = ofAnyLength(random);
      long b = ofAnyLength(random);
      check(big(a).multiply(big(b)), () -> Sizes.times(a, b, PLACE));
      check(big(a).add(big(b)), () -> Sizes.plus(a, b, PLACE));
    }
  }

  @ParameterizedTest
  @ValueSource(longs = {1, 2, 32, 4096, 1 << 20, 1L << 62})
  void aligningIsExactOrRefuses(long alignment) {
    LongBinaryOperator align = (value, unit) -> Sizes.align(value, unit, PLACE);
    for (long k = 0; k < 4100; k++) {
      for (long value : new long[] {k, Long.MAX_VALUE - k, (1L << 62) - k, alignment + k}) {
        BigInteger unit = big(alignment);
        BigInteger up = big(value).add(unit).subtract(BigInteger.ONE).divide(unit).multiply(unit);
        BigInteger least = big(value).add(unit).subtract(BigInteger.ONE);
        if (least.compareTo(MOST) > 0) {
          assertThrows(FormatException.class, () -> align.applyAsLong(value, alignment));
        } else {
          assertEquals(up.longValueExact(), align.applyAsLong(value, alignment));
        }
      }
    }
  }

  @Test
  void theProductOfNothingIsOne() {
    assertEquals(1, Sizes.product(List.of(), PLACE));
    assertEquals(0, Sizes.product(List.of(5L, 0L), PLACE));
  }

  @Test
  void theErrorSaysWhereAndWhat() {
    var e = assertThrows(FormatException.class, () -> Sizes.times(1L << 40, 1L << 40, PLACE));
    assertEquals(
        "model.gguf: tensor a is too large: 1099511627776 times 1099511627776 does not fit 64 bits",
        e.getMessage());
  }

  @Test
  void rowsAreWholeBlocks() {
    assertEquals(3 * 2 * 34, Sizes.bytes(List.of(3L, 64L), 32, 34, "Q8_0", PLACE));
    assertEquals(4, Sizes.bytes(List.of(), 1, 4, "F32", PLACE));
    var e =
        assertThrows(
            FormatException.class, () -> Sizes.bytes(List.of(64L, 100L), 256, 144, "Q4_K", PLACE));
    assertEquals(
        "model.gguf: tensor a has rows of 100 values; Q4_K stores blocks of 256, so rows must be a"
            + " multiple of that",
        e.getMessage());
  }

  private static void check(BigInteger exact, LongSupplier sizes) {
    if (exact.compareTo(MOST) > 0) {
      assertThrows(FormatException.class, sizes::getAsLong);
    } else {
      assertEquals(exact.longValueExact(), sizes.getAsLong());
    }
  }

  private static long ofAnyLength(SplittableRandom random) {
    return random.nextBoolean()
        ? random.nextLong() >>> random.nextInt(1, 64)
        : Long.MAX_VALUE - random.nextInt(64);
  }

  private static BigInteger big(long value) {
    return BigInteger.valueOf(value);
  }
}
