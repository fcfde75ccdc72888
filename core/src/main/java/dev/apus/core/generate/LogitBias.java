package dev.apus.core.generate;

import java.util.Map;

/**
 * Adds numbers to the logits of tokens.
 *
 * @param biases by token; negative infinity bans it
 */
public record LogitBias(Map<Integer, Float> biases) implements Warper {

  /**
   * Checks every value.
   *
   * @throws IllegalArgumentException naming the first that is out of its range
   */
  public LogitBias {
    biases = Map.copyOf(biases);
    biases.forEach(
        (token, bias) -> {
          if (token < 0 || !(bias < Float.POSITIVE_INFINITY)) {
            throw new IllegalArgumentException(
                "the bias of token " + token + " is " + bias + "; needed: a number, or -Infinity");
          }
        });
  }

  void requireIn(int vocabulary) {
    biases
        .keySet()
        .forEach(
            token -> {
              if (token >= vocabulary) {
                throw new IllegalArgumentException(
                    "there is a bias of token "
                        + token
                        + "; the vocabulary has the ids 0 to "
                        + (vocabulary - 1));
              }
            });
  }

  void apply(float[] logits) {
    biases.forEach((token, bias) -> logits[token] += bias);
  }
}
