package dev.apus.core.generate;

/**
 * Keeps the tokens whose logits are within some standard deviations of the largest; the deviation
 * is that of all logits of the vocabulary, banned ones apart.
 *
 * @param deviations how many
 * @see <a href="https://arxiv.org/abs/2411.07641">Top-nσ: not all logits are you need</a>
 */
public record TopNSigma(float deviations) implements Warper {

  /**
   * Checks the value.
   *
   * @throws IllegalArgumentException if it is negative or not finite
   */
  public TopNSigma {
    Ranges.require(deviations, 0, Float.MAX_VALUE, "topNSigma", "0 or a positive number");
  }

  void filter(Candidates candidates, float[] logits, int vocabulary) {
    double max = Double.NEGATIVE_INFINITY;
    double sum = 0;
    int count = 0;
    for (int id = 0; id < vocabulary; id++) {
      if (logits[id] > Float.NEGATIVE_INFINITY) {
        max = Math.max(max, logits[id]);
        sum += logits[id];
        count++;
      }
    }
    double mean = sum / count;
    double squares = 0;
    for (int id = 0; id < vocabulary; id++) {
      if (logits[id] > Float.NEGATIVE_INFINITY) {
        squares += (logits[id] - mean) * (logits[id] - mean);
      }
    }
    double least = max - deviations * Math.sqrt(squares / count);
    candidates.keepWhere(place -> logits[candidates.id(place)] >= least);
  }
}
