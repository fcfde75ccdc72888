package dev.apus.attention.softmax;

import dev.apus.core.config.Config;
import java.util.List;

/**
 * The settings of attention to tokens of equal hashes.
 *
 * @param chunk tokens of a chunk of the sorted text
 * @param before how many chunks before its own a token sees
 * @param after how many after it
 * @param rounds how often the text is hashed and sorted, each time with other rotations
 * @param buckets into how many a round sorts, as factors that each have rotations of their own;
 *     none for a number that suits the text
 * @param seed of the rotations
 * @param padding what the texts that were sorted had at their ends
 * @param context the longest text
 */
record HashSpec(
    int heads,
    int headDim,
    int chunk,
    int before,
    int after,
    int rounds,
    List<Integer> buckets,
    long seed,
    Padding padding,
    int context) {

  private static final int MOST_BUCKETS = 1 << 24;

  static HashSpec read(Config c, int context) {
    int heads = c.positive("heads");
    int headDim = c.positive("headDim");
    int chunk = c.positive("chunk");
    int rounds = c.positive("rounds", 1);
    int before = c.count("before", 1);
    int after = c.count("after", 0);
    long seen = (before + after + 1L) * chunk * rounds;
    if ((long) heads * headDim > Integer.MAX_VALUE || seen > Integer.MAX_VALUE) {
      throw c.error(
          "heads=%d of %d values, and %d keys in view, must each be below 2^31",
          heads, headDim, seen);
    }
    List<Integer> buckets = c.has("buckets") ? c.integers("buckets") : List.of();
    long all = 1;
    for (int factor : buckets) {
      if (factor < 2 || factor % 2 != 0 || (all *= factor) > MOST_BUCKETS) {
        throw c.errorAt(
            "buckets", "buckets=%s must be even, and at most %d together", buckets, MOST_BUCKETS);
      }
    }
    Padding padding = Padding.read(c, chunk);
    long seed = c.integer("seed", 0);
    return new HashSpec(
        heads, headDim, chunk, before, after, rounds, buckets, seed, padding, context);
  }

  int cols() {
    return heads * headDim;
  }

  /** Numbers that are remembered of each token: its bucket in each head and round. */
  int hashes() {
    return heads * rounds;
  }

  /** Whether a text of so many tokens is seen as a whole. */
  boolean isShort(int tokens) {
    return tokens <= chunk;
  }

  /** Keys of a round that a token sees, itself included. */
  int view() {
    return (before + 1 + after) * chunk;
  }

  /**
   * Whether a token that comes after a first run goes by its hashes.
   *
   * @param first tokens of that run
   */
  boolean isHashed(int position, int first) {
    return !isShort(first) || position > Math.max(chunk - 1, first);
  }

  /**
   * The factors of the number of buckets: about two for each chunk, and two factors where they are
   * many. A text that begins with less than a chunk gets as many as the longest.
   *
   * @param first tokens of a text's first run
   */
  List<Integer> factors(int first) {
    if (!buckets.isEmpty()) {
      return buckets;
    }
    int chunks = (isShort(first) ? context : padding.length(first)) / chunk;
    int bits = Integer.SIZE - Integer.numberOfLeadingZeros(2 * Math.max(1, chunks)) - 1;
    int most = 2 * Math.max((int) Math.sqrt(context / chunk), chunk);
    return 1 << bits <= most ? List.of(1 << bits) : List.of(1 << bits / 2, 1 << bits - bits / 2);
  }
}
