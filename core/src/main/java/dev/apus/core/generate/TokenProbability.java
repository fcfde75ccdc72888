package dev.apus.core.generate;

/**
 * A token that might have been chosen, with the natural logarithm of its probability.
 *
 * @param logProbability under the model's own distribution, as in {@link Token}
 */
public record TokenProbability(int id, float logProbability) {}
