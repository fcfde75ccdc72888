package dev.apus.core.routing;

import dev.apus.core.config.Config;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.activation.Activation;
import java.util.Arrays;

/**
 * Chooses experts for a token, and how much each counts:
 *
 * <pre>
 *   s = score(logits)                    a softmax over all experts, or a sigmoid of each
 *   r = s + correction                   if biased: learned, to spread tokens over experts
 *   r = −∞ outside the best groups       if there is a limit
 *   the top experts by r are chosen
 *   weight = scale · s / (Σ s of the chosen + epsilon)    or without normalisation scale · s
 * </pre>
 *
 * <p>A softmax over the logits of the chosen alone is the softmax over all, normalised.
 *
 * @param experts how many there are to choose from, including those that give nothing
 * @param top how many are chosen
 * @param score what turns router logits into scores
 * @param biased whether the choice, and it alone, goes by corrected scores
 * @param limit which groups of experts may be chosen from; null for no limit
 * @param normalized whether the chosen scores are divided by their sum, if it is not 0
 * @param epsilon what is added to that sum
 * @param scale factor on the weights
 * @see <a href="https://arxiv.org/abs/2408.15664">Auxiliary-Loss-Free Load Balancing</a>
 */
public record Router(
    int experts,
    int top,
    Score score,
    boolean biased,
    GroupLimit limit,
    boolean normalized,
    float epsilon,
    float scale) {

  /** What turns router logits into scores. */
  public enum Score {
    SOFTMAX,
    SIGMOID
  }

  public static Router read(Config c) {
    int zero = c.count("zeroExperts", 0);
    int experts = c.positive("experts");
    if (zero > Integer.MAX_VALUE - experts) {
      throw c.errorAt("zeroExperts", "zeroExperts=%d are too many to choose from", zero);
    }
    experts += zero;
    int top = c.positive("top");
    if (top > experts) {
      throw c.error("top=%d is more than experts=%d", top, experts);
    }
    boolean softmax = c.choice("score", "softmax", "softmax", "sigmoid").equals("softmax");
    boolean normalized = c.flag("normalized", true);
    float epsilon = normalized ? c.real("epsilon", 0) : 0;
    if (epsilon < 0) {
      throw c.errorAt("epsilon", "epsilon=%s must not be negative", epsilon);
    }
    return new Router(
        experts,
        top,
        softmax ? Score.SOFTMAX : Score.SIGMOID,
        c.flag("biased", false),
        GroupLimit.read(c, experts, top),
        normalized,
        epsilon,
        c.real("scale", 1));
  }

  /** How much scratch a choice needs. */
  public int scratchFloats() {
    return limit != null ? experts + limit.groups() : biased ? experts : 0;
  }

  /**
   * Chooses for one token; of equal ranks the lower expert wins.
   *
   * @param logits router logits, of which those of the token are overwritten
   * @param correction what is added to a score for the choice, if biased
   * @param scratch {@link #scratchFloats()} values
   * @param chosen receives {@code top} experts in ascending order, at {@code token · top}
   * @param weights receives their weights, likewise
   */
  public void choose(
      Kernels kernels,
      Matrix logits,
      int token,
      float[] correction,
      float[] scratch,
      int[] chosen,
      float[] weights) {
    float[] scores = logits.data();
    int scoresAt = logits.at(token);
    int at = token * top;
    switch (score) {
      case SOFTMAX -> kernels.activations().softmax(scores, scoresAt, experts);
      case SIGMOID -> kernels.activations().apply(Activation.SIGMOID, scores, scoresAt, experts);
    }
    boolean ranked = scratchFloats() > 0;
    if (ranked) {
      rank(scores, scoresAt, correction, scratch);
    }
    float[] ranks = ranked ? scratch : scores;
    int ranksAt = ranked ? 0 : scoresAt;
    float sum = 0;
    for (int i = 0; i < top; i++) {
      int best = best(ranks, ranksAt, chosen, at, i);
      chosen[at + i] = best;
      sum += scores[scoresAt + best];
    }
    Arrays.sort(chosen, at, at + top);
    sum += epsilon;
    float factor = normalized && sum != 0 ? scale / sum : scale;
    for (int i = 0; i < top; i++) {
      weights[at + i] = scores[scoresAt + chosen[at + i]] * factor;
    }
  }

  private void rank(float[] scores, int scoresAt, float[] correction, float[] ranks) {
    for (int expert = 0; expert < experts; expert++) {
      float score = scores[scoresAt + expert];
      ranks[expert] = biased ? score + correction[expert] : score;
    }
    if (limit != null) {
      limit.apply(ranks, experts);
    }
  }

  /** NaN counts as the best rank: what is chosen shows, what is passed over would be hidden. */
  private int best(float[] ranks, int ranksAt, int[] chosen, int at, int taken) {
    int best = -1;
    for (int expert = 0; expert < experts; expert++) {
      if ((best < 0 || Float.compare(ranks[ranksAt + expert], ranks[ranksAt + best]) > 0)
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
