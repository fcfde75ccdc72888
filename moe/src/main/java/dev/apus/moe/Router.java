package dev.apus.moe;

import dev.apus.core.config.Config;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import java.util.Arrays;

/**
 * Chooses experts for a token: score, then the top few, then their weights.
 *
 * @param experts how many there are to choose from
 * @param top how many are chosen
 * @param score what turns router logits into scores
 * @param normalized whether the chosen scores are divided by their sum, if it is not 0
 * @param scale factor on the weights
 */
record Router(int experts, int top, Score score, boolean normalized, float scale) {

  /** What turns router logits into scores. */
  enum Score {
    SOFTMAX,
    SIGMOID
  }

  static Router read(Config c) {
    int experts = c.positive("experts");
    int top = c.positive("top");
    if (top > experts) {
      throw c.error("top=%d is more than experts=%d", top, experts);
    }
    return new Router(
        experts,
        top,
        c.choice("score", "softmax", "softmax", "sigmoid").equals("softmax")
            ? Score.SOFTMAX
            : Score.SIGMOID,
        c.flag("normalized", true),
        c.real("scale", 1));
  }

  /**
   * Chooses for one token; of equal scores the lower expert wins.
   *
   * @param logits the token's router logits, overwritten
   * @param chosen receives {@code top} experts in ascending order
   * @param weights receives their weights
   */
  void choose(
      Kernels kernels, float[] logits, int logitsAt, int[] chosen, float[] weights, int at) {
    switch (score) {
      case SOFTMAX -> kernels.activations().softmax(logits, logitsAt, experts);
      case SIGMOID -> kernels.activations().apply(Activation.SIGMOID, logits, logitsAt, experts);
    }
    float sum = 0;
    for (int i = 0; i < top; i++) {
      int best = best(logits, logitsAt, chosen, at, i);
      chosen[at + i] = best;
      sum += logits[logitsAt + best];
    }
    Arrays.sort(chosen, at, at + top);
    float factor = normalized && sum != 0 ? scale / sum : scale;
    for (int i = 0; i < top; i++) {
      weights[at + i] = logits[logitsAt + chosen[at + i]] * factor;
    }
  }

  /** NaN counts as the best score: what is chosen shows, what is passed over would be hidden. */
  private int best(float[] scores, int scoresAt, int[] chosen, int at, int taken) {
    int best = -1;
    for (int expert = 0; expert < experts; expert++) {
      if ((best < 0 || Float.compare(scores[scoresAt + expert], scores[scoresAt + best]) > 0)
          && !isTaken(chosen, at, taken, expert)) {
        best = expert;
      }
    }
    return best;
  }

  private static boolean isTaken(int[] chosen, int at, int taken, int expert) {
    for (int i = at; i < at + taken; i++) {
      if (chosen[i] == expert) {
        return true;
      }
    }
    return false;
  }
}
