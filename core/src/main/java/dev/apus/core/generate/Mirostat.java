package dev.apus.core.generate;

/**
 * Steers how much tokens surprise on average, in bits: drops those that surprise more than a limit
 * that goes up and down with what was chosen.
 *
 * @param surprise what to aim at, such as 5
 * @param rate how fast the limit follows, such as 0.1
 * @see <a href="https://arxiv.org/abs/2007.14966">Mirostat, the second of its algorithms</a>
 */
public record Mirostat(float surprise, float rate) implements Warper {

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if one is negative or not finite
   */
  public Mirostat {
    Ranges.require(surprise, 0, Float.MAX_VALUE, "mirostat surprise", "0 or a positive number");
    Ranges.require(rate, 0, Float.MAX_VALUE, "mirostat rate", "0 or a positive number");
  }

  private static final double BIT = StrictMath.log(2);

  /** The limit of one generation. */
  final class Limit {

    private double bits = 2 * surprise;

    void filter(Candidates candidates) {
      candidates.dropBelow(StrictMath.exp(-bits * BIT));
    }

    /** Hears of the token that was chosen of what was left. */
    void follow(double logProbability) {
      bits -= rate * (-logProbability / BIT - surprise);
    }
  }
}
