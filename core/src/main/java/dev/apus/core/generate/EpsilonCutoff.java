package dev.apus.core.generate;

/**
 * Drops the tokens that are less likely than a number.
 *
 * @param epsilon the number, such as 0.0003
 * @see <a href="https://arxiv.org/abs/2210.15191">Truncation sampling as desmoothing</a>
 */
public record EpsilonCutoff(float epsilon) implements Warper {

  /**
   * Checks the value.
   *
   * @throws IllegalArgumentException if it is not from 0 to 1
   */
  public EpsilonCutoff {
    Ranges.requireShare(epsilon, "epsilonCutoff");
  }

  void filter(Candidates candidates) {
    candidates.dropBelow(epsilon);
  }
}
