package dev.apus.attention.softmax;

/**
 * Numbers of the normal distribution from a seed, as PyTorch draws them on a CPU: the Mersenne
 * twister makes numbers in [0, 1), and the Box–Muller transform makes normal ones of them, sixteen
 * at a time.
 *
 * <p>PyTorch's logarithm and cosine are those of single precision, in some builds approximated.
 * These here are rounded from double precision, so that a number may differ in its last bits.
 *
 * @see <a href="https://doi.org/10.1145/272991.272995">Mersenne twister</a>
 */
final class SeededNormals {

  private static final int STATE = 624;
  private static final int SHIFT = 397;
  private static final int HALF = 8;

  /** Fewer numbers than a whole group are drawn one at a time, in double precision. */
  private static final int GROUP = 2 * HALF;

  private final int[] state = new int[STATE];
  private int next = STATE;

  private SeededNormals(long seed) {
    state[0] = (int) seed;
    for (int i = 1; i < STATE; i++) {
      state[i] = 1_812_433_253 * (state[i - 1] ^ state[i - 1] >>> 30) + i;
    }
  }

  /** The first {@code count} numbers after a generator was given a seed. */
  static float[] draw(long seed, int count) {
    var generator = new SeededNormals(seed);
    float[] numbers = new float[count];
    if (count < GROUP) {
      generator.drawSingly(numbers);
      return numbers;
    }
    for (int i = 0; i < count; i++) {
      numbers[i] = generator.uniform();
    }
    for (int at = 0; at + GROUP <= count; at += GROUP) {
      transform(numbers, at);
    }
    if (count % GROUP != 0) {
      // The last sixteen are drawn anew.
      for (int i = count - GROUP; i < count; i++) {
        numbers[i] = generator.uniform();
      }
      transform(numbers, count - GROUP);
    }
    return numbers;
  }

  private static void transform(float[] numbers, int at) {
    for (int i = at; i < at + HALF; i++) {
      double radius = Math.sqrt(-2 * StrictMath.log(1 - numbers[i]));
      double angle = 2 * Math.PI * numbers[i + HALF];
      numbers[i] = (float) (radius * StrictMath.cos(angle));
      numbers[i + HALF] = (float) (radius * StrictMath.sin(angle));
    }
  }

  private void drawSingly(float[] numbers) {
    for (int i = 0; i < numbers.length; i += 2) {
      double angle = 2 * Math.PI * doubleUniform();
      double radius = Math.sqrt(-2 * StrictMath.log1p(-doubleUniform()));
      numbers[i] = (float) (radius * StrictMath.cos(angle));
      if (i + 1 < numbers.length) {
        numbers[i + 1] = (float) (radius * StrictMath.sin(angle));
      }
    }
  }

  private float uniform() {
    return (bits() & 0xFFFFFF) * 0x1p-24f;
  }

  private double doubleUniform() {
    long high = Integer.toUnsignedLong(bits()) << 32;
    return ((high | Integer.toUnsignedLong(bits())) & (1L << 53) - 1) * 0x1p-53;
  }

  private int bits() {
    if (next == STATE) {
      for (int i = 0; i < STATE; i++) {
        int mixed = state[i] & 0x80000000 | state[(i + 1) % STATE] & 0x7FFFFFFF;
        int twist = (mixed & 1) == 0 ? 0 : 0x9908B0DF;
        state[i] = state[(i + SHIFT) % STATE] ^ mixed >>> 1 ^ twist;
      }
      next = 0;
    }
    int y = state[next++];
    y ^= y >>> 11;
    y ^= y << 7 & 0x9D2C5680;
    y ^= y << 15 & 0xEFC60000;
    return y ^ y >>> 18;
  }
}
