package dev.apus.core.file;

import java.util.List;

/**
 * The only arithmetic on numbers that a file claims: it never wraps around.
 *
 * <p>Arguments are not negative. A result past the range of a long is a {@link FormatException}.
 */
final class Sizes {

  /** The largest dimension that is believed: far beyond any memory, and safe to add to. */
  static final long LARGEST_DIMENSION = 1L << 48;

  private Sizes() {}

  static long times(long a, long b, Place place) {
    long product = a * b;
    if (Math.multiplyHigh(a, b) != 0 || product < 0) {
      throw place.error("is too large: %d times %d does not fit 64 bits", a, b);
    }
    return product;
  }

  static long plus(long a, long b, Place place) {
    long sum = a + b;
    if (sum < 0) {
      throw place.error("is too large: %d plus %d does not fit 64 bits", a, b);
    }
    return sum;
  }

  /**
   * The smallest multiple of {@code alignment}, a power of two, that is not below {@code value}.
   */
  static long align(long value, long alignment, Place place) {
    return plus(value, alignment - 1, place) & -alignment;
  }

  /** The number of values in a tensor. */
  static long product(List<Long> shape, Place place) {
    long product = 1;
    for (long dimension : shape) {
      product = times(product, dimension, place);
    }
    return product;
  }

  /** The bytes of a tensor whose rows are whole blocks of so many values in so many bytes. */
  static long bytes(List<Long> shape, int blockLength, int blockBytes, String type, Place place) {
    long row = shape.isEmpty() ? 1 : shape.getLast();
    if (row % blockLength != 0) {
      throw place.error(
          "has rows of %d values; %s stores blocks of %d, so rows must be a multiple of that",
          row, type, blockLength);
    }
    return times(product(shape, place) / blockLength, blockBytes, place);
  }
}
