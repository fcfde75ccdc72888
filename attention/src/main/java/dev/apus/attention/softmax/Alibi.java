package dev.apus.attention.softmax;

/**
 * Linear position biases: each head fades the past at its own rate.
 *
 * @see <a href="https://arxiv.org/abs/2108.12409">Train Short, Test Long</a>
 */
final class Alibi {

  private Alibi() {}

  /**
   * The slope of each head: a geometric series from {@code 2^(−8/n)}, where n is the largest power
   * of two that is at most {@code heads}; heads past n take every second term of the series for 2n.
   */
  static float[] slopes(int heads, float factor) {
    int whole = Integer.highestOneBit(heads);
    float[] slopes = new float[heads];
    for (int head = 0; head < heads; head++) {
      double exponent =
          head < whole ? -8.0 * (head + 1) / whole : -4.0 * (2 * (head - whole) + 1) / whole;
      slopes[head] = (float) StrictMath.pow(2, exponent) * factor;
    }
    return slopes;
  }
}
