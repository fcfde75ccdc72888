package dev.apus.core.generate;

/**
 * Keeps the tokens that surprise as much as one should expect: the shortest list of those whose
 * surprise is nearest to the entropy that has a probability together.
 *
 * @param share of the probability; 1 keeps all
 * @see <a href="https://arxiv.org/abs/2202.00666">Locally typical sampling</a>
 */
public record Typical(float share) implements Warper {

  /**
   * Checks the value.
   *
   * @throws IllegalArgumentException if it is not from 0 to 1
   */
  public Typical {
    Ranges.requireShare(share, "typical");
  }

  /**
   * Keeps the typical ones.
   *
   * @param nearness scratch for a number of each token of the vocabulary
   */
  void filter(Candidates candidates, float[] nearness) {
    if (share == 1) {
      return;
    }
    double entropy = candidates.entropy();
    for (int place = 0; place < candidates.count(); place++) {
      double surprise = -candidates.logProbability(place);
      nearness[candidates.id(place)] = (float) -Math.abs(surprise - entropy);
    }
    candidates.keepFirst(nearness, share);
  }
}
