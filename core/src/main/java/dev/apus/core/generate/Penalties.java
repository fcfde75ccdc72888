package dev.apus.core.generate;

/**
 * Makes tokens that have occurred less likely.
 *
 * <p>The repetition penalty (Keskar et al., 2019) looks at the prompt and at what was chosen since:
 * it divides a positive logit and multiplies a negative one. The frequency and presence penalties
 * look only at what was chosen: they subtract {@code frequency · count + presence}.
 */
final class Penalties {

  private final float repetition;
  private final float frequency;
  private final float presence;
  private final int window;

  /** Of each id, one more than its choices within the window; 0 between calls. */
  private final int[] counts;

  Penalties(Sampling sampling, int vocabulary) {
    repetition = sampling.repetitionPenalty();
    frequency = sampling.frequencyPenalty();
    presence = sampling.presencePenalty();
    window = sampling.penaltyWindow();
    counts = new int[vocabulary];
  }

  static boolean wanted(Sampling sampling) {
    return sampling.repetitionPenalty() != 1
        || sampling.frequencyPenalty() != 0
        || sampling.presencePenalty() != 0;
  }

  void apply(TokenHistory history, float[] logits) {
    int first = window == 0 ? 0 : Math.max(0, history.length() - window);
    for (int at = first; at < history.length(); at++) {
      int token = history.token(at);
      if (token < counts.length) {
        counts[token] = Math.max(1, counts[token]) + (history.chosen(at) ? 1 : 0);
      }
    }
    for (int at = first; at < history.length(); at++) {
      int token = history.token(at);
      if (token < counts.length && counts[token] > 0) {
        logits[token] = penalised(logits[token], counts[token] - 1);
        counts[token] = 0;
      }
    }
  }

  private float penalised(float logit, int chosen) {
    float value = logit > 0 ? logit / repetition : logit * repetition;
    return chosen == 0 ? value : value - (frequency * chosen + presence);
  }
}
