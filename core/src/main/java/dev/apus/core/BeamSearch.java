package dev.apus.core;

import dev.apus.core.generate.Ranges;

/**
 * How to look for the likeliest continuations of a text, instead of drawing one.
 *
 * <p>At each token the search goes on with the beams that are likeliest so far; what ends stays as
 * a result. Results are in the order of their score, {@code ln p / length^lengthPenalty}, where the
 * length counts generated tokens, with the one that ends the text. The search ends when no beam
 * could get a better score than the worst result, or at the limit.
 *
 * @param width how many beams go on; 1 is greedy
 * @param results how many to return at most, no more than {@code width}
 * @param maxTokens how many tokens a continuation may have
 * @param lengthPenalty 0 compares probabilities, which favours short texts; 1 compares means
 */
public record BeamSearch(int width, int results, int maxTokens, float lengthPenalty) {

  /**
   * Checks every value.
   *
   * @throws IllegalArgumentException naming the first that is out of its range
   */
  public BeamSearch {
    Ranges.require(width >= 1, "width", width, "at least 1");
    Ranges.require(
        results >= 1 && results <= width, "results", results, "1 to the width, " + width);
    Ranges.require(maxTokens >= 1, "maxTokens", maxTokens, "at least 1");
    Ranges.require(
        lengthPenalty >= 0 && lengthPenalty <= Float.MAX_VALUE,
        "lengthPenalty",
        lengthPenalty,
        "0 or a positive number");
  }

  /** The best of so many beams, of at most 512 tokens each, by the mean of their tokens. */
  public static BeamSearch of(int width) {
    return new BeamSearch(width, 1, 512, 1);
  }

  /** With several results. */
  public BeamSearch withResults(int count) {
    return new BeamSearch(width, count, maxTokens, lengthPenalty);
  }

  /** With another limit. */
  public BeamSearch withMaxTokens(int count) {
    return new BeamSearch(width, results, count, lengthPenalty);
  }

  /** With another weight of the length. */
  public BeamSearch withLengthPenalty(float exponent) {
    return new BeamSearch(width, results, maxTokens, exponent);
  }

  double score(double logProbability, int length) {
    return logProbability / StrictMath.pow(length, lengthPenalty);
  }
}
