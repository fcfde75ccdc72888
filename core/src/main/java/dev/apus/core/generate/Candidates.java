package dev.apus.core.generate;

/**
 * The tokens that survive temperature, top-k, top-p and min-p, in that order, and their weights
 * {@code exp((logit − max) / temperature)}.
 *
 * <p>With top-k or top-p they stand best first, otherwise by id. Only as much of the vocabulary is
 * put in order as the filters need.
 */
final class Candidates {

  /** How many tokens a nucleus is first looked for in; most are far smaller. */
  private static final int NUCLEUS = 64;

  private final float temperature;
  private final int topK;
  private final float topP;
  private final float minP;
  private final TopTokens top = new TopTokens();

  private int[] ids = new int[0];
  private double[] weights = new double[0];
  private int count;

  Candidates(Sampling sampling) {
    temperature = sampling.temperature();
    topK = sampling.topK();
    topP = sampling.topP();
    minP = sampling.minP();
  }

  /** Selects among logits whose largest is {@code max}. */
  void select(float[] logits, int vocabulary, float max) {
    if (topK > 0 && topK < vocabulary) {
      selectTop(logits, vocabulary, max, topK);
      cutNucleus(sum());
    } else if (topP < 1) {
      selectNucleus(logits, vocabulary, max);
    } else {
      selectAll(logits, vocabulary, max);
    }
    dropUnlikely();
  }

  int count() {
    return count;
  }

  int id(int at) {
    return ids[at];
  }

  /** The candidate in whose part of the total weight the fraction {@code u} in [0, 1) falls. */
  int draw(double u) {
    double target = u * sum();
    double cumulative = 0;
    for (int i = 0; i < count - 1; i++) {
      cumulative += weights[i];
      if (target < cumulative) {
        return ids[i];
      }
    }
    return ids[count - 1];
  }

  private double weight(float logit, float max) {
    return Exponential.of(((double) logit - max) / temperature);
  }

  private void selectAll(float[] logits, int vocabulary, float max) {
    reserve(vocabulary);
    for (int id = 0; id < vocabulary; id++) {
      ids[id] = id;
      weights[id] = weight(logits[id], max);
    }
    count = vocabulary;
  }

  private void selectTop(float[] logits, int vocabulary, float max, int most) {
    count = top.select(logits, vocabulary, most);
    reserve(count);
    for (int rank = 0; rank < count; rank++) {
      ids[rank] = top.id(rank);
      weights[rank] = weight(logits[ids[rank]], max);
    }
  }

  private void selectNucleus(float[] logits, int vocabulary, float max) {
    double total = 0;
    for (int id = 0; id < vocabulary; id++) {
      total += weight(logits[id], max);
    }
    int most = Math.min(NUCLEUS, vocabulary);
    selectTop(logits, vocabulary, max, most);
    while (!cutNucleus(total) && count == most && most < vocabulary) {
      most = (int) Math.min(8L * most, vocabulary);
      selectTop(logits, vocabulary, max, most);
    }
  }

  /** Keeps the shortest beginning, at least one token, that weighs topP of the total. */
  private boolean cutNucleus(double total) {
    double needed = topP * total;
    double cumulative = 0;
    for (int i = 0; i < count; i++) {
      cumulative += weights[i];
      if (cumulative >= needed) {
        count = i + 1;
        return true;
      }
    }
    return false;
  }

  /** Drops what weighs nothing, and what weighs less than minP of the best, whose weight is 1. */
  private void dropUnlikely() {
    int kept = 0;
    for (int i = 0; i < count; i++) {
      if (weights[i] > 0 && weights[i] >= minP) {
        ids[kept] = ids[i];
        weights[kept++] = weights[i];
      }
    }
    count = kept;
  }

  private double sum() {
    double sum = 0;
    for (int i = 0; i < count; i++) {
      sum += weights[i];
    }
    return sum;
  }

  private void reserve(int capacity) {
    if (ids.length < capacity) {
      ids = new int[capacity];
      weights = new double[capacity];
    }
  }
}
