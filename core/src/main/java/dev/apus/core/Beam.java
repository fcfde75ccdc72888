package dev.apus.core;

import java.util.List;

/**
 * A continuation that a {@link BeamSearch} has found.
 *
 * @param tokens without the one that ended the text
 * @param text of the tokens; empty if the model has no tokenizer
 * @param ended whether the model ended the text there, and not the limit
 * @param logProbability the natural logarithm of its probability in the model's own distribution,
 *     with the token that ended it
 * @param score by which results are ordered
 */
public record Beam(
    List<Integer> tokens, String text, boolean ended, double logProbability, double score) {

  public Beam {
    tokens = List.copyOf(tokens);
  }
}
