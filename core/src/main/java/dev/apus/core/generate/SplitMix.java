package dev.apus.core.generate;

/**
 * The SplitMix64 generator (Steele, Lea and Flood, 2014): a counter in steps of the golden ratio,
 * mixed. Written out because the sequence of a seed must never change.
 */
public final class SplitMix {

  private static final long GOLDEN = 0x9E3779B97F4A7C15L;

  private long state;

  public SplitMix(long seed) {
    state = seed;
  }

  /** 64 random bits. */
  public long nextLong() {
    state += GOLDEN;
    long z = state;
    z = (z ^ (z >>> 30)) * 0xBF58476D1CE4E5B9L;
    z = (z ^ (z >>> 27)) * 0x94D049BB133111EBL;
    return z ^ (z >>> 31);
  }

  /** A multiple of 2⁻⁵³ in [0, 1). */
  public double nextDouble() {
    return (nextLong() >>> 11) * 0x1p-53;
  }
}
