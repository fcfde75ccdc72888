package dev.apus.core.routing;

import dev.apus.core.config.Config;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.Kernels;
import java.util.Arrays;

/**
 * Chooses experts for a token, and how much each counts:
 *
 * <pre>
 *   s = score(logits)                    see {@link Score}
 *   r = s + correction                   if biased: learned, to spread tokens over experts
 *   r = −∞ outside the best groups       if there is a limit
 *   the top experts by r are chosen      or fewer, see {@link Cut}; or those that a table names
 *   weight = scale · s / (Σ s of the chosen + epsilon)    or without normalisation scale · s
 * </pre>
 *
 * <p>A softmax over the logits of the chosen alone is the softmax over all, normalised. A place
 * that no expert takes has the number {@link #experts} and weighs 0.
 *
 * @param experts how many there are to choose from, including those that give nothing
 * @param zeros how many of them give nothing; they are the last
 * @param top how many are chosen at most
 * @param score what turns router logits into scores
 * @param biased whether the choice, and it alone, goes by corrected scores
 * @param limit which groups of experts may be chosen from; null for no limit
 * @param cut which of the best are not chosen after all
 * @param hashed whether a table names the chosen by the token's number
 * @param shares how the scores of the chosen become their weights
 * @see <a href="https://arxiv.org/abs/2408.15664">Auxiliary-Loss-Free Load Balancing</a>
 * @see <a href="https://arxiv.org/abs/2106.04426">Hash Layers</a>
 */
public record Router(
    int experts,
    int zeros,
    int top,
    Score score,
    boolean biased,
    GroupLimit limit,
    Cut cut,
    boolean hashed,
    Shares shares) {

  /**
   * Which of the best experts are not chosen after all.
   *
   * @param above only experts whose score is above this are chosen
   * @param mass the choice ends when its scores sum to this; 0 for no end
   * @param jitter of {@link Score#SPARSE_MIXER}: which experts share a choice with the best
   * @see <a href="https://arxiv.org/abs/2403.07652">Harder Tasks Need More Experts</a>
   */
  public record Cut(float above, float mass, float jitter) {
    public static final Cut NONE = new Cut(Float.NEGATIVE_INFINITY, 0, 0);
  }

  /**
   * How the scores of the chosen become their weights.
   *
   * @param normalized whether they are divided by their sum, if it is not 0
   * @param epsilon what is added to that sum
   * @param least what it is raised to if it is below
   * @param zeros whether the experts that give nothing are part of it
   * @param scale factor on the weights
   */
  public record Shares(boolean normalized, float epsilon, float least, boolean zeros, float scale) {

    static Shares read(Config c) {
      boolean normalized = c.flag("normalized", true);
      return new Shares(
          normalized,
          normalized ? notNegative(c, "epsilon") : 0,
          normalized ? notNegative(c, "leastSum") : 0,
          !normalized || c.flag("zeroExpertsWeigh", true),
          c.real("scale", 1));
    }
  }

  /** A router that always chooses as many as it may. */
  public Router(
      int experts,
      int top,
      Score score,
      boolean biased,
      GroupLimit limit,
      boolean normalized,
      float epsilon,
      float scale) {
    this(
        experts,
        0,
        top,
        score,
        biased,
        limit,
        Cut.NONE,
        false,
        new Shares(normalized, epsilon, 0, true, scale));
  }

  /**
   * The settings of a router.
   *
   * @param c {@code experts}, and how many of other kinds there are besides: {@code copyExperts},
   *     {@code constantExperts} and {@code zeroExperts}; {@code top}, {@code score}, {@code jitter}
   *     of the score {@code sparse-mixer}, {@code biased}, {@code above}, {@code mass}, {@code
   *     hashed}, and those of a {@link GroupLimit} and of {@link Shares}
   */
  public static Router read(Config c) {
    int zeros = c.count("zeroExperts", 0);
    long all =
        (long) c.positive("experts")
            + c.count("copyExperts", 0)
            + c.count("constantExperts", 0)
            + zeros;
    if (all >= Integer.MAX_VALUE) {
      throw c.error("%d experts are too many to choose from", all);
    }
    int experts = (int) all;
    Score score = Score.read(c);
    boolean relu = score == Score.RELU;
    int top = relu ? c.positive("top", experts) : c.positive("top");
    if (top > experts) {
      throw c.error("top=%d is more than experts=%d", top, experts);
    }
    Router router =
        new Router(
            experts,
            zeros,
            top,
            score,
            c.flag("biased", false),
            GroupLimit.read(c, experts, top),
            new Cut(
                c.real("above", relu ? 0 : Float.NEGATIVE_INFINITY),
                notNegative(c, "mass"),
                score == Score.SPARSE_MIXER ? notNegative(c, "jitter") : 0),
            c.flag("hashed", false),
            Shares.read(c));
    router.check(c);
    return router;
  }

  private void check(Config c) {
    boolean ranked = biased || limit != null || mass() || cut.above() > Float.NEGATIVE_INFINITY;
    if (hashed && (biased || limit != null || mass())) {
      throw c.errorAt("hashed", "hashed=true: a table chooses, so nothing can rank the experts");
    }
    if (score == Score.SPARSE_MIXER && (ranked || hashed || shares.normalized())) {
      throw c.errorAt(
          "score",
          "score=sparse-mixer weighs each choice among those left: it needs normalized=false and"
              + " neither biased, groups, above, mass nor hashed");
    }
    if (score == Score.EVEN && !hashed && top < experts) {
      throw c.errorAt("score", "score=even ranks no expert above another; set hashed=true");
    }
  }

  private static float notNegative(Config c, String key) {
    float value = c.real(key, 0);
    if (value < 0) {
      throw c.errorAt(key, "%s=%s must not be negative", key, value);
    }
    return value;
  }

  private boolean mass() {
    return cut.mass() > 0;
  }

  /** How much scratch a choice needs. */
  public int scratchFloats() {
    boolean copied = biased || score == Score.SPARSE_MIXER;
    return limit != null ? experts + limit.groups() : copied ? experts : 0;
  }

  /**
   * Chooses for one token; of equal ranks the lower expert wins.
   *
   * @param logits router logits, of which those of the token are overwritten
   * @param correction what is added to a score for the choice, if biased
   * @param scratch {@link #scratchFloats()} values
   * @param chosen receives {@code top} experts in ascending order, at {@code token · top}; holds
   *     them, in any order, where a table has named them
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
    if (score == Score.SPARSE_MIXER) {
      SparseMixer.choose(kernels, this, scores, scoresAt, scratch, chosen, weights, at);
      return;
    }
    score.apply(kernels, scores, scoresAt, experts);
    if (!hashed) {
      boolean ranked = scratchFloats() > 0;
      if (ranked) {
        rank(scores, scoresAt, correction, scratch);
      }
      take(ranked ? scratch : scores, ranked ? 0 : scoresAt, scores, scoresAt, chosen, at);
    }
    for (int i = at; i < at + top; i++) {
      if (chosen[i] < experts && scores[scoresAt + chosen[i]] <= cut.above()) {
        chosen[i] = experts;
      }
    }
    Arrays.sort(chosen, at, at + top);
    weigh(scores, scoresAt, chosen, weights, at);
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

  /** The best by rank, until there are enough or their scores are. */
  private void take(
      float[] ranks, int ranksAt, float[] scores, int scoresAt, int[] chosen, int at) {
    float sum = 0;
    for (int i = 0; i < top; i++) {
      if (mass() && sum >= cut.mass()) {
        Arrays.fill(chosen, at + i, at + top, experts);
        return;
      }
      int best = top == experts && !mass() ? i : best(ranks, ranksAt, chosen, at, i);
      chosen[at + i] = best;
      sum += scores[scoresAt + best];
    }
  }

  private void weigh(float[] scores, int scoresAt, int[] chosen, float[] weights, int at) {
    int counted = shares.zeros() ? experts : experts - zeros;
    float sum = 0;
    for (int i = at; i < at + top; i++) {
      sum += chosen[i] < counted ? scores[scoresAt + chosen[i]] : 0;
    }
    sum = Math.max(sum + shares.epsilon(), shares.least());
    float factor = shares.normalized() && sum != 0 ? shares.scale() / sum : shares.scale();
    for (int i = at; i < at + top; i++) {
      weights[i] = chosen[i] < experts ? scores[scoresAt + chosen[i]] * factor : 0;
    }
  }

  /** NaN counts as the best rank: what is chosen shows, what is passed over would be hidden. */
  int best(float[] ranks, int ranksAt, int[] chosen, int at, int taken) {
    int best = -1;
    for (int expert = 0; expert < experts; expert++) {
      if ((best < 0 || Float.compare(ranks[ranksAt + expert], ranks[ranksAt + best]) > 0)
          && !isTaken(chosen, at, taken, expert)) {
        best = expert;
      }
    }
    return best;
  }

  static boolean isTaken(int[] chosen, int at, int taken, int expert) {
    for (int i = at; i < at + taken; i++) {
      if (chosen[i] == expert) {
        return true;
      }
    }
    return false;
  }
}
