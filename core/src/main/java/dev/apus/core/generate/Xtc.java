package dev.apus.core.generate;

/**
 * Now and then excludes the top choices: of several tokens that are likely enough each, all but the
 * least likely. Takes a random number for each token.
 *
 * @param probability how often
 * @param threshold how likely is enough; above 0.5 there are never several
 * @see <a href="https://github.com/oobabooga/text-generation-webui/pull/6335">its proposal</a>
 */
public record Xtc(float probability, float threshold) implements Warper {

  /**
   * Checks the values.
   *
   * @throws IllegalArgumentException if one is not from 0 to 1
   */
  public Xtc {
    Ranges.requireShare(probability, "xtc probability");
    Ranges.requireShare(threshold, "xtc threshold");
  }

  /**
   * Excludes.
   *
   * @param u the random number, from 0 to 1
   */
  void filter(Candidates candidates, double u) {
    if (u >= probability) {
      return;
    }
    double least = threshold * candidates.total();
    int spared = -1;
    for (int place = 0; place < candidates.count(); place++) {
      boolean enough = candidates.weight(place) >= least;
      if (enough && (spared < 0 || candidates.weight(place) <= candidates.weight(spared))) {
        spared = place;
      }
    }
    int kept = spared;
    candidates.keepWhere(place -> place == kept || candidates.weight(place) < least);
  }
}
