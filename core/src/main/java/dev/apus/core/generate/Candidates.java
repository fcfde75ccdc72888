package dev.apus.core.generate;

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
    if (topK > 0 && topK < vocabulary) {
      selectTop(logits, vocabulary, max);
    } else {
      selectAll(logits, vocabulary, max);
    }
    if (topP < 1) {
      int border = ids[nucleus.border(logits, ids, weights, count, topP)];
      keepUpTo(border, logits);
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

  /** The candidate in whose part of the total weight the fraction {@code u} in [0, 1) falls. */
  int draw(double u) {
    double target = u * Logits.sum(weights, count);
    double cumulative = 0;
    for (int i = 0; i < count - 1; i++) {
      cumulative += weights[i];
      if (target < cumulative) {
        return ids[i];
      }
    }
    return ids[count - 1];
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

  private void keepUpTo(int border, float[] logits) {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (isWithin(border, ids[i], logits)) {
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
