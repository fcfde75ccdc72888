package dev.apus.core.generate;

import java.time.Duration;

/**
 * What a generation took. Times are of computing only: waiting for whoever takes the tokens does
 * not count.
 *
 * @param promptTokens tokens of the prompt
 * @param reusedTokens those of them that were not computed, because a prefix cache knew them
 * @param promptTime from the prompt to the first token
 * @param generatedTokens tokens chosen, the one that ended the text included
 * @param generationTime from the first token to the last
 */
public record Usage(
    int promptTokens,
    int reusedTokens,
    Duration promptTime,
    int generatedTokens,
    Duration generationTime) {

  /** Prompt tokens that were computed, per second; 0 before the first token. */
  public double promptTokensPerSecond() {
    return rate(promptTokens - reusedTokens, promptTime);
  }

  /** Tokens per second after the first one; 0 before the second token. */
  public double tokensPerSecond() {
    return rate(Math.max(0, generatedTokens - 1), generationTime);
  }

  private static double rate(int tokens, Duration time) {
    return time.isZero() ? 0 : tokens * 1e9 / time.toNanos();
  }
}
