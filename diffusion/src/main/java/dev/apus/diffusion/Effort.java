package dev.apus.diffusion;

import java.time.Duration;

/**
 * What denoising took. Times are of computing only: waiting for whoever takes the drafts does not
 * count.
 *
 * @param tokens how many were fixed
 * @param evaluations how often the model was asked
 * @param rows how many rows went through the model
 */
public record Effort(int tokens, int evaluations, long rows, Duration time) {

  /** Tokens per second; 0 before the first evaluation. */
  public double tokensPerSecond() {
    return time.isZero() ? 0 : tokens * 1e9 / time.toNanos();
  }

  /** Evaluations for each token; 0 before the first token. */
  public double evaluationsPerToken() {
    return tokens == 0 ? 0 : (double) evaluations / tokens;
  }
}
