package dev.apus.attention.softmax;

/** Which keys queries visit, as each policy's definition says it, in double precision. */
final class NaivePolicies {

  private NaivePolicies() {}

  /** Which keys each head of each query sees. */
  @FunctionalInterface
  interface Choice {
    /**
     * @param of what scores queries
     * @return for each query and query head, whether it sees each key
     */
    boolean[][][] of(NaiveAttention of, double[][] q, double[][] k);
  }

  private static boolean[][][] nobody(int tokens, int heads) {
    return new boolean[tokens][heads][tokens];
  }

  /** The first tokens and the last; {@code full} says which key–value heads see everything. */
  static Choice near(int sinks, int window, boolean... full) {
    return (of, q, k) -> {
      boolean[][][] sees = nobody(q.length, of.heads());
      for (int i = 0; i < q.length; i++) {
        for (int head = 0; head < of.heads(); head++) {
          int keyHead = head / of.group();
          boolean all = keyHead < full.length && full[keyHead];
          for (int j = 0; j <= i; j++) {
            sees[i][head][j] = all || j < sinks || j > i - window;
          }
        }
      }
      return sees;
    };
  }
}
