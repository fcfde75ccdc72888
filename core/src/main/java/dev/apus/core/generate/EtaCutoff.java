package dev.apus.core.generate;

/**
 * Drops the tokens that are less likely than a number, or than a part of {@code exp(−entropy)}
 * where the model is of many minds.
 *
 * @param epsilon the number, such as 0.0003; the part is its square root
 * @see <a href="https://arxiv.org/abs/2210.15191">Truncation sampling as desmoothing</a>
 */
public record EtaCutoff(float epsilon) implements Warper {

  /**
   * Checks the value.
   *
   * @throws IllegalArgumentException if it is not from 0 to 1
   */
  public EtaCutoff {
    Ranges.requireShare(epsilon, "etaCutoff");
  }

  void filter(Candidates candidates) {
    double part = Math.sqrt(epsilon) * StrictMath.exp(-candidates.entropy());
    candidates.dropBelow(Math.min(epsilon, part));
  }
}
