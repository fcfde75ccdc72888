package dev.apus.diffusion;

import dev.apus.core.Model;
import java.util.Arrays;

/**
 * How likely a text is to come out of denoising by a recipe, if tokens are drawn from the model's
 * own distribution. Which positions a step fixes is decided by what the model proposes; that they
 * get the tokens of the text has the product of these tokens' probabilities:
 *
 * <pre>
 *   ln P(x) = Σ over steps, Σ over positions i that the step fixes, of ln p(xᵢ | what stands)
 * </pre>
 *
 * <p>That is the text's likelihood under the sampler itself, with whatever its cache leaves out and
 * its rule takes together, and so a lower bound of the likelihood of the text: others ways to reach
 * it, with other random numbers in the rule, only add to it.
 *
 * @param nats {@code −ln P} of all tokens together
 */
public record Likelihood(double nats, Effort effort) {

  /**
   * Measures the tokens after the first {@code given}.
   *
   * @throws IllegalArgumentException if there are none, if the recipe edits, or if its rule draws
   *     what changes besides what it becomes, as {@link Reverse}, or changes vectors, as {@link
   *     Gaussian}, for which there is {@link Bound}
   */
  public static Likelihood of(Model model, int[] tokens, int given, Recipe recipe) {
    if (recipe.rule().revises()) {
      throw new IllegalArgumentException(
          "a rule that revises draws tokens again and again; needed: one that fixes each once");
    }
    if (recipe.editing() > 0 || given < 0 || given >= tokens.length) {
      throw new IllegalArgumentException(
          recipe.editing() > 0
              ? "what is edited is not what the probabilities are of; needed: editing=0"
              : given + " given of " + tokens.length + " tokens; needed: fewer than there are");
    }
    if (recipe.rule() instanceof Reverse || recipe.rule() instanceof Gaussian) {
      throw new IllegalArgumentException(
          "by the rule "
              + recipe.rule()
              + (recipe.rule() instanceof Reverse
                  ? " it is drawn for each position whether it changes"
                  : " vectors change, and not tokens")
              + ", so that a text has no likelihood by the tokens that are fixed; use Bound, which"
              + " bounds it");
    }
    try (Canvas canvas = Canvas.of(model, tokens.length)) {
      canvas.append(Arrays.copyOf(tokens, given)).gap(tokens.length - given);
      try (Denoising denoising = new Denoising(canvas, recipe, tokens)) {
        denoising.finish();
        return new Likelihood(-denoising.logLikelihood(), denoising.effort());
      }
    }
  }

  /** {@code −ln P} for each token. */
  public double natsPerToken() {
    return nats / effort.tokens();
  }
}
