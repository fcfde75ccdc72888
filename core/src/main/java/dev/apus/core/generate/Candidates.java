package dev.apus.core.generate;

import java.util.function.IntPredicate;

/**
 * The tokens that survive temperature, top-k, top-p and min-p, in that order, and their weights
 * {@code exp((logit − max) / temperature)}. They stand in the order of their ids: every filter only
 * asks for the worst token that it keeps, so the vocabulary is never sorted.
 */
public final class Candidates {

  private final double scale;
  private final int topK;
  private final float topP;
  private final float minP;
  private final TopTokens top = new TopTokens();
  private final Nucleus nucleus = new Nucleus();

  private int[] ids = new int[0];
  private double[] weights = new double[0];
  private int count;
  private float[] logits;
  private float max;

  /**
   * Filters as a sampling says.
   *
   * @param sampling whose temperature is not 0
   */
  public Candidates(Sampling sampling) {
    scale = 1.0 / sampling.temperature();
    topK = sampling.topK();
    topP = sampling.topP();
    minP = sampling.minP();
  }

  /** Selects among logits whose largest is {@code max}. */
  public void select(float[] logits, int vocabulary, float max) {
    this.logits = logits;
    this.max = max;
    if (topK > 0 && topK < vocabulary) {
      selectTop(logits, vocabulary, max);
    } else {
      selectAll(logits, vocabulary, max);
    }
    if (topP < 1) {
      keepFirst(logits, topP);
    }
    dropUnlikely();
  }

  /** How many there are. */
  public int count() {
    return count;
  }

  /** The id of one of them. */
  public int id(int at) {
    return ids[at];
  }

  /** {@code exp((logit − max) / temperature)}. */
  double weight(int at) {
    return weights[at];
  }

  /** What all of them weigh. */
  double total() {
    return Logits.sum(weights, count);
  }

  /** The natural logarithm of a candidate's share of the total weight. */
  double logProbability(int at) {
    return ((double) logits[ids[at]] - max) * scale - StrictMath.log(total());
  }

  /** The entropy of the candidates, in natural units. */
  double entropy() {
    double total = total();
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += weights[i] * ((double) logits[ids[i]] - max) * scale;
    }
    return StrictMath.log(total) - sum / total;
  }

  /**
   * Keeps the shortest list of candidates, first by an order, that has a share of the weight.
   *
   * @param order a number for each token; the greatest is first, the lowest id among equals
   */
  void keepFirst(float[] order, float share) {
    keepUpTo(ids[nucleus.border(order, ids, weights, count, share)], order);
  }

  /** Keeps the candidates whose places pass a test. */
  void keepWhere(IntPredicate test) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (test.test(i)) {
        keep(i, kept++);
      }
    }
    count = kept;
  }

  /** Drops the candidates that have less than a share of the weight, but not the likeliest. */
  void dropBelow(double share) {
    double least = share * total();
    int best = 0;
    for (int i = 1; i < count; i++) {
      best = weights[i] > weights[best] ? i : best;
    }
    int likeliest = best;
    keepWhere(place -> place == likeliest || weights[place] >= least);
  }

  /** The place in whose part of the total weight the fraction {@code u} in [0, 1) falls. */
  int draw(double u) {
    double target = u * Logits.sum(weights, count);
    double cumulative = 0;
    for (int i = 0; i < count - 1; i++) {
      cumulative += weights[i];
      if (target < cumulative) {
        return i;
      }
    }
    return count - 1;
  }

  private void selectAll(float[] logits, int vocabulary, float max) {
    reserve(vocabulary);
    count = vocabulary;
    for (int id = 0; id < vocabulary; id++) {
      ids[id] = id;
    }
    Exponential.fill(weights, count, logits, 0, max, scale);
  }

  private void selectTop(float[] logits, int vocabulary, float max) {
    int border = top.id(top.select(logits, vocabulary, topK) - 1);
    reserve(topK);
    count = 0;
    for (int id = 0; id < vocabulary; id++) {
      if (isWithin(border, id, logits)) {
        ids[count] = id;
        weights[count++] = Exponential.of(((double) logits[id] - max) * scale);
      }
    }
  }

  private void keepUpTo(int border, float[] order) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (isWithin(border, ids[i], order)) {
        keep(i, kept++);
      }
    }
    count = kept;
  }

  /** Drops what weighs nothing, and what weighs less than minP of the best, whose weight is 1. */
  private void dropUnlikely() {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (weights[i] > 0 && weights[i] >= minP) {
        keep(i, kept++);
      }
    }
    count = kept;
  }

  private void keep(int from, int to) {
    ids[to] = ids[from];
    weights[to] = weights[from];
  }

  private static boolean isWithin(int border, int id, float[] logits) {
    return logits[id] > logits[border] || (logits[id] == logits[border] && id <= border);
  }

  private void reserve(int capacity) {
    if (ids.length < capacity) {
      ids = new int[capacity];
      weights = new double[capacity];
    }
  }
}
