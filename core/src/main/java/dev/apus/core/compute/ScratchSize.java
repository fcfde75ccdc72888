package dev.apus.core.compute;

/**
 * The lengths that scratch arrays have, by their numbers: four from each power of two to the next,
 * so that an array serves for many shapes and yet wastes a fifth of its memory at most.
 */
final class ScratchSize {

  /** Two bits say which of the four. */
  private static final int STEP_BITS = 2;

  /** From each number to that of twice the length. */
  static final int STEPS = 1 << STEP_BITS;

  private static final int SMALLEST = 16;

  /** JVMs make no longer arrays. */
  private static final int LARGEST = Integer.MAX_VALUE - 8;

  /** How many there are. */
  static final int COUNT = of(LARGEST) + 1;

  private ScratchSize() {}

  /** The number of the smallest one that holds so many floats. */
  static int of(int count) {
    int last = Math.max(SMALLEST, count) - 1;
    int shift = Integer.SIZE - 1 - STEP_BITS - Integer.numberOfLeadingZeros(last);
    return shift * STEPS + (last >>> shift) + 1;
  }

  /** The length of the arrays of a number. */
  static int floats(int size) {
    int shift = (size - STEPS - 1) / STEPS;
    long floats = (long) (size - shift * STEPS) << shift;
    return (int) Math.min(LARGEST, floats);
  }
}
