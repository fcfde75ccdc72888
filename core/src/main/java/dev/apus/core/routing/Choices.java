package dev.apus.core.routing;

import java.util.stream.IntStream;

/**
 * The choices of a batch, {@code top} for each token, put in the order of the chosen experts; a
 * choice at its place in that order is a pair of a token and an expert.
 */
public final class Choices {

  private final int[] starts;
  private final int[] pairs;
  private final int[] choices;

  private Choices(int[] starts, int[] pairs, int[] choices) {
    this.starts = starts;
    this.pairs = pairs;
    this.choices = choices;
  }

  /** Sorts choices by expert, those of an expert in the order of the tokens. */
  public static Choices sorted(int[] chosen, int experts) {
    int[] starts = new int[experts + 1];
    for (int expert : chosen) {
      starts[expert + 1]++;
    }
    for (int expert = 0; expert < experts; expert++) {
      starts[expert + 1] += starts[expert];
    }
    int[] next = starts.clone();
    int[] pairs = new int[chosen.length];
    int[] choices = new int[chosen.length];
    for (int choice = 0; choice < chosen.length; choice++) {
      int pair = next[chosen[choice]]++;
      pairs[choice] = pair;
      choices[pair] = choice;
    }
    return new Choices(starts, pairs, choices);
  }

  /** Those of the experts {@code 0 … limit − 1} that somebody chose, ascending. */
  public int[] chosen(int limit) {
    return IntStream.range(0, limit).filter(e -> starts[e] < starts[e + 1]).toArray();
  }

  /** The first pair of an expert, which is where those of the expert before it end. */
  public int start(int expert) {
    return starts[expert];
  }

  /** The place of a choice in the order of the experts. */
  public int pair(int choice) {
    return pairs[choice];
  }

  /** The choice at a place in the order of the experts. */
  public int choice(int pair) {
    return choices[pair];
  }
}
