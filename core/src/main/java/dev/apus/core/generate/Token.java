package dev.apus.core.generate;

import java.util.List;

/**
 * A chosen token and the text that it completes.
 *
 * @param id the token's id
 * @param text the text that is certain now: empty while a character is incomplete or a stop text
 *     may be beginning, more than this token's own when held-back text is released. The texts of
 *     all tokens, joined, are the text of the generation. A stop token adds no text of its own.
 * @param logProbability the natural logarithm of the token's probability in the model's own
 *     distribution: before processors, penalties, temperature and filters
 * @param top the likeliest tokens of that distribution, best first; as many as {@link
 *     Sampling#topLogProbabilities()} asks for
 */
public record Token(int id, String text, float logProbability, List<TokenProbability> top) {

  public Token {
    top = List.copyOf(top);
  }
}
