package dev.apus.diffusion;

import dev.apus.core.generate.Candidates;
import dev.apus.core.generate.Exponential;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.SplitMix;
import dev.apus.core.model.Diffusion;
import java.util.BitSet;

/**
 * Turns a row of logits into a proposal. At a temperature T above 0, the token is
 *
 * <pre>
 *   argmaxᵢ lᵢ − T · ln(−ln uᵢ)          uᵢ uniform in (0, 1)
 * </pre>
 *
 * <p>among those that top-k, top-p and min-p leave, in double precision: with less, the greatest
 * noise is too small, and texts are more alike than they should be. The noise of a position depends
 * on the seed, the evaluation and the position alone.
 *
 * @see <a href="https://arxiv.org/abs/2409.02908">the Gumbel trick in masked diffusion</a>
 */
final class Proposer {

  private final Sampling sampling;
  private final int vocabulary;
  private final BitSet never;
  private final BitSet ends;
  private final Worker[] workers;
  private final int[] truth;
  private final double[] truthProbability;
  private final Diffusion diffusion;
  private Posterior posterior;
  private float warmth;
  private double scale;
  private int[] standing;

  /** What a thread works with. */
  private final class Worker {
    final float[] logits = new float[vocabulary];
    final double[] scores = new double[diffusion.output().isScore() ? vocabulary : 0];
    final Candidates candidates = sampling.temperature() == 0 ? null : new Candidates(sampling);
  }

  /**
   * @param diffusion what the logits are
   * @param vocabulary how many ids may be chosen; logits beyond belong to padding
   * @param never tokens that stand for noise or are unused
   * @param ends tokens that end a text, which are proposed where it may end
   * @param truth the token that each position is to get, whatever is proposed; or null
   */
  Proposer(
      Diffusion diffusion,
      Sampling sampling,
      int vocabulary,
      int threads,
      BitSet never,
      BitSet ends,
      int[] truth) {
    this.diffusion = diffusion;
    this.sampling = sampling;
    this.vocabulary = vocabulary;
    this.never = never;
    this.ends = ends;
    this.truth = truth;
    this.truthProbability = truth == null ? null : new double[truth.length];
    this.workers = new Worker[threads];
    for (int i = 0; i < threads; i++) {
      workers[i] = new Worker();
    }
  }

  /**
   * Says what the next proposals are made of.
   *
   * @param weighing makes weights of scores; null for a model that gives logits
   * @param heat what logarithms of these weights are divided by
   * @param level of the noise
   * @param tokens that stand in the text
   */
  void prepare(Posterior weighing, float heat, double level, int[] tokens) {
    posterior = weighing;
    warmth = heat;
    standing = tokens;
    boolean scaled = diffusion.output() == Diffusion.Output.SCALED_SCORES;
    scale = scaled ? StrictMath.log(StrictMath.expm1(level) * (vocabulary - 1)) : 0;
  }

  /**
   * A proposal for one position.
   *
   * @param guide logits without what was given, or null
   * @param guidance how much they count
   * @param mayEnd whether the text may end at the position
   */
  Proposal propose(
      int position,
      int evaluation,
      int worker,
      float[] logits,
      int at,
      float[] guide,
      double guidance,
      boolean mayEnd) {
    Worker mine = workers[worker];
    float[] row = mine.logits;
    for (int i = 0; i < vocabulary; i++) {
      double logit = logits[at + i];
      row[i] = (float) (guide == null ? logit : guide[i] + (guidance + 1) * (logit - guide[i]));
    }
    if (posterior != null) {
      weigh(position, row, mine.scores);
    } else if (diffusion.output() == Diffusion.Output.UNMASKED && diffusion.mask() < vocabulary) {
      row[diffusion.mask()] = Float.NEGATIVE_INFINITY;
    }
    int first = -1;
    int second = -1;
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < vocabulary; i++) {
      requireNumber(position, i, row[i]);
      max = Math.max(max, row[i]);
      boolean behind = second >= 0 && row[i] <= row[second];
      if (behind || isBanned(i, mayEnd)) {
        continue;
      }
      if (first < 0 || row[i] > row[first]) {
        second = first;
        first = i;
      } else if (second < 0 || row[i] > row[second]) {
        second = i;
      }
    }
    if (first < 0 || max == Float.NEGATIVE_INFINITY) {
      throw new GenerationException("no token can be chosen at position " + position);
    }
    double sum = 0;
    double moment = 0;
    for (int i = 0; i < vocabulary; i++) {
      double below = (double) row[i] - max;
      double weight = Exponential.of(below);
      sum += weight;
      moment += weight == 0 ? 0 : weight * below;
    }
    double entropy = Math.max(0, StrictMath.log(sum) - moment / sum);
    double best = Exponential.of((double) row[first] - max) / sum;
    double next = second < 0 ? 0 : Exponential.of((double) row[second] - max) / sum;
    if (truth != null) {
      truthProbability[position] = Exponential.of((double) row[truth[position]] - max) / sum;
    }
    int token = first;
    double probability = best;
    if (mine.candidates != null) {
      for (int i = 0; i < vocabulary; i++) {
        row[i] = isBanned(i, mayEnd) ? Float.NEGATIVE_INFINITY : row[i];
      }
      token = draw(mine.candidates, row, row[first], position, evaluation);
      probability = Exponential.of((double) row[token] - max) / sum;
    }
    return new Proposal(position, token, probability, first, best, next, entropy);
  }

  private static void requireNumber(int position, int token, float logit) {
    if (!(logit < Float.POSITIVE_INFINITY)) {
      throw new GenerationException(
          "the logit of token " + token + " at position " + position + " is " + logit);
    }
  }

  /** Turns logarithms of scores into those of weights. */
  private void weigh(int position, float[] row, double[] scores) {
    for (int i = 0; i < vocabulary; i++) {
      requireNumber(position, i, row[i]);
      scores[i] = StrictMath.exp(row[i] - scale);
    }
    scores[standing[position]] = 1;
    posterior.weigh(scores, standing[position]);
    for (int i = 0; i < vocabulary; i++) {
      row[i] =
          scores[i] > 0 ? (float) (StrictMath.log(scores[i]) / warmth) : Float.NEGATIVE_INFINITY;
    }
  }

  /** What a rule has chosen, with the token that the position is to get. */
  Proposal told(Proposal chosen) {
    int at = chosen.position();
    return truth == null ? chosen : chosen.with(truth[at], truthProbability[at]);
  }

  private boolean isBanned(int token, boolean mayEnd) {
    boolean noise = never.get(token) && (posterior == null || token != diffusion.mask());
    return noise || (!mayEnd && ends.get(token));
  }

  private int draw(Candidates candidates, float[] row, float max, int position, int evaluation) {
    candidates.select(row, vocabulary, max);
    SplitMix places = new SplitMix(sampling.seed() ^ ((long) evaluation << 32 | position));
    SplitMix random = new SplitMix(places.nextLong());
    int chosen = -1;
    double most = Double.NEGATIVE_INFINITY;
    for (int i = 0; i < candidates.count(); i++) {
      int id = candidates.id(i);
      double noise = -StrictMath.log(-StrictMath.log(random.nextDouble()));
      double value = row[id] + sampling.temperature() * noise;
      if (chosen < 0 || value > most) {
        most = value;
        chosen = id;
      }
    }
    return chosen;
  }
}
