package dev.apus.core.generate;

import java.util.ArrayList;
import java.util.List;

/**
 * Chooses tokens from logits as a {@link Sampling} says; one for each generation, because it
 * remembers what was chosen and where its random numbers are.
 *
 * <p>The order is: processors, constraint, penalties, warpers of logits, then either the largest
 * logit (temperature 0) or temperature, top-k, top-p, min-p, the other warpers and one random
 * number. Equal logits are in the order of their ids.
 */
public final class Sampler {

  private final Sampling sampling;
  private final int vocabulary;
  private final TokenHistory history;
  private final SplitMix random;
  private final Candidates candidates;
  private final LogitsProcessor[] processors;
  private final Constraint.Follower follower;
  private final Penalties penalties;
  private final Warping warping;
  private final TopTokens top = new TopTokens();
  private final double[] scratch = new double[Logits.SCRATCH];

  /** The logits that processors, penalties and warpers may change; null when there are none. */
  private final float[] changed;

  private float logProbability = Float.NaN;
  private List<TokenProbability> topProbabilities = List.of();

  /**
   * Prepares for one generation.
   *
   * @param vocabulary how many ids may be chosen; logits beyond are ignored
   * @param prompt the tokens that the repetition penalty counts as seen
   */
  public Sampler(Sampling sampling, int vocabulary, int[] prompt) {
    this(sampling, vocabulary, prompt, null);
  }

  /**
   * Prepares for one generation whose text is constrained.
   *
   * @param follower that has followed nothing yet, or null if the text may be anything
   */
  Sampler(Sampling sampling, int vocabulary, int[] prompt, Constraint.Follower follower) {
    if (vocabulary < 1) {
      throw new IllegalArgumentException("vocabulary=" + vocabulary + "; needed: at least 1");
    }
    for (int token : prompt) {
      if (token < 0) {
        throw new IllegalArgumentException("the prompt holds " + token + ", which is not a token");
      }
    }
    this.sampling = sampling;
    this.vocabulary = vocabulary;
    history = new TokenHistory(prompt);
    random = new SplitMix(sampling.seed());
    candidates = new Candidates(sampling);
    processors = sampling.processors().toArray(LogitsProcessor[]::new);
    this.follower = follower;
    penalties = Penalties.wanted(sampling) ? new Penalties(sampling, vocabulary) : null;
    warping = new Warping(sampling.warpers(), vocabulary);
    boolean before = processors.length > 0 || follower != null;
    boolean asTheyAre = !before && penalties == null && !warping.changesLogits();
    changed = asTheyAre ? null : new float[vocabulary];
  }

  /**
   * Chooses the next token and remembers it.
   *
   * @param logits one for each id of the vocabulary, or more; left as they are
   * @throws GenerationException if a logit is NaN or positive infinity, or every token is banned
   */
  public int choose(float[] logits) {
    if (logits.length < vocabulary) {
      throw new IllegalArgumentException(
          "the model gives "
              + logits.length
              + " logits; the vocabulary has "
              + vocabulary
              + " tokens");
    }
    int best = Logits.best(logits, vocabulary, "from the model");
    float max = logits[best];
    double logSum = Logits.logSum(logits, vocabulary, max, scratch);
    topProbabilities = topProbabilities(logits, max, logSum);
    int token = changed == null ? choose(logits, best) : chooseChanged(logits);
    logProbability = logProbability(logits[token], max, logSum);
    history.add(token);
    if (follower != null) {
      follower.accept(token);
    }
    return token;
  }

  /**
   * The natural logarithm of the last token's probability in the model's own distribution: before
   * processors, penalties, temperature and filters. NaN before the first choice.
   */
  public float logProbability() {
    return logProbability;
  }

  /**
   * The likeliest tokens of the model's own distribution at the last choice, best first; as many as
   * {@link Sampling#topLogProbabilities()}, fewer if fewer are possible.
   */
  public List<TokenProbability> topProbabilities() {
    return topProbabilities;
  }

  private int choose(float[] logits, int best) {
    if (sampling.temperature() == 0) {
      return best;
    }
    candidates.select(logits, vocabulary, logits[best]);
    warping.filter(candidates, logits, random);
    int drawn = candidates.draw(random.nextDouble());
    warping.follow(candidates, drawn);
    return candidates.id(drawn);
  }

  private int chooseChanged(float[] logits) {
    System.arraycopy(logits, 0, changed, 0, vocabulary);
    int best = -1;
    for (LogitsProcessor processor : processors) {
      processor.process(history.view(), changed);
      best = Logits.best(changed, vocabulary, "after a logits processor");
    }
    if (follower != null) {
      follower.restrict(changed);
      best = Logits.best(changed, vocabulary, "after the constraint");
    }
    if (penalties != null) {
      penalties.apply(history, changed);
      best = Logits.best(changed, vocabulary, "after the penalties");
    }
    if (warping.changesLogits()) {
      warping.change(history, changed);
      best = Logits.best(changed, vocabulary, "after biases and penalties of repeated sequences");
    }
    return choose(changed, best);
  }

  private List<TokenProbability> topProbabilities(float[] logits, float max, double logSum) {
    if (sampling.topLogProbabilities() == 0) {
      return List.of();
    }
    int count = top.select(logits, vocabulary, sampling.topLogProbabilities());
    List<TokenProbability> probabilities = new ArrayList<>(count);
    for (int rank = 0; rank < count; rank++) {
      int id = top.id(rank);
      probabilities.add(new TokenProbability(id, logProbability(logits[id], max, logSum)));
    }
    return List.copyOf(probabilities);
  }

  private static float logProbability(float logit, float max, double logSum) {
    return (float) ((double) logit - max - logSum);
  }
}
