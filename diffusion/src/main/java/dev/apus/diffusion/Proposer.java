package dev.apus.diffusion;

import dev.apus.core.generate.Candidates;
import dev.apus.core.generate.Exponential;
import dev.apus.core.generate.GenerationException;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.SplitMix;
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

  /** What a thread works with. */
  private final class Worker {
    final float[] logits = new float[vocabulary];
    final Candidates candidates = sampling.temperature() == 0 ? null : new Candidates(sampling);
  }

  /**
   * @param vocabulary how many ids may be chosen; logits beyond belong to padding
   * @param never tokens that stand for noise
   * @param ends tokens that end a text, which are proposed where it may end
   * @param truth the token that each position is to get, whatever is proposed; or null
   */
  Proposer(Sampling sampling, int vocabulary, int threads, BitSet never, BitSet ends, int[] truth) {
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
    int first = -1;
    int second = -1;
    float max = Float.NEGATIVE_INFINITY;
    for (int i = 0; i < vocabulary; i++) {
      if (!(row[i] < Float.POSITIVE_INFINITY)) {
        throw new GenerationException(
            "the logit of token " + i + " at position " + position + " is " + row[i]);
      }
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
      for (int i = never.nextSetBit(0); i >= 0 && i < vocabulary; i = never.nextSetBit(i + 1)) {
        row[i] = Float.NEGATIVE_INFINITY;
      }
      for (int i = ends.nextSetBit(0); !mayEnd && i >= 0; i = ends.nextSetBit(i + 1)) {
        row[i] = Float.NEGATIVE_INFINITY;
      }
      token = draw(mine.candidates, row, row[first], position, evaluation);
      probability = Exponential.of((double) row[token] - max) / sum;
    }
    return new Proposal(position, token, probability, first, best, next, entropy);
  }

  /** What a rule has chosen, with the token that the position is to get. */
  Proposal told(Proposal chosen) {
    int at = chosen.position();
    return truth == null ? chosen : chosen.with(truth[at], truthProbability[at]);
  }

  private boolean isBanned(int token, boolean mayEnd) {
    return never.get(token) || (!mayEnd && ends.get(token));
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
