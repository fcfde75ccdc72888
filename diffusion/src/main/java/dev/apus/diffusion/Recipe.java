package dev.apus.diffusion;

import dev.apus.core.Model;
import dev.apus.core.generate.Ranges;
import dev.apus.core.generate.Sampling;
import dev.apus.core.model.Diffusion;

/**
 * How a text is denoised. Start from {@link #of} and change what you need.
 *
 * @param sampling how a token is chosen for a position: temperature (Gumbel noise in double
 *     precision), top-k, top-p, min-p, seed; where to stop; and how many tokens to add to a text
 *     that has no gap. Penalties, processors and warpers, which ask what was chosen before, are
 *     refused, and so are constraints
 * @param rule which positions a step fixes
 * @param steps how many steps the whole text has, shared out to its windows by their noisy
 *     positions; 0 for one for each noisy position
 * @param window tokens that are filled at a time, one window after the other; 0 for all, or for the
 *     model's blocks where it has any
 * @param cache what is not computed again
 * @param guidance w of classifier-free guidance: logits become {@code u + (w + 1)(c − u)}, where u
 *     are those without what was given; 0 for none
 * @param editing how sure the model must be to replace a token that was fixed before; 0 to leave
 *     them
 * @param editingSteps how many evaluations a window may have after its last noisy position is
 *     fixed, while tokens are replaced
 */
public record Recipe(
    Sampling sampling,
    TransferRule rule,
    int steps,
    int window,
    Cache cache,
    double guidance,
    double editing,
    int editingSteps) {

  private static final int MOST_EDITING_STEPS = 16;

  /**
   * Checks every value.
   *
   * @throws IllegalArgumentException naming the first that is out of its range
   */
  public Recipe {
    Ranges.require(steps >= 0, "steps", steps, "0 or more");
    Ranges.require(window >= 0, "window", window, "0 or more");
    Ranges.require(guidance >= 0 && guidance < 1e6, "guidance", guidance, "0 or more");
    Ranges.require(editing >= 0 && editing <= 1, "editing", editing, "0 to 1");
    Ranges.require(editingSteps >= 0, "editingSteps", editingSteps, "0 or more");
    boolean penalised =
        sampling.repetitionPenalty() != 1
            || sampling.frequencyPenalty() != 0
            || sampling.presencePenalty() != 0;
    Ranges.require(!penalised, "penalties", "on", "none: tokens of a canvas have no order in time");
    Ranges.require(sampling.processors().isEmpty(), "processors", sampling.processors(), "none");
    Ranges.require(sampling.warpers().isEmpty(), "warpers", sampling.warpers(), "none");
    Ranges.require(
        sampling.constraint() == null,
        "constraint",
        sampling.constraint(),
        "none: a canvas is not written from its beginning to its end");
    Ranges.require(
        sampling.topLogProbabilities() == 0,
        "topLogProbabilities",
        sampling.topLogProbabilities(),
        "0: a draft says how likely each of its tokens was");
  }

  /**
   * The likeliest tokens, fixed as the makers of such models do: the surest first where a row
   * predicts its own token, those of the smallest entropy where it predicts the next one. Models
   * that see text in blocks fix all tokens that are surer than 0.9, and keep finished blocks. Where
   * noise is any token, tokens are drawn, and {@linkplain Revising revised}.
   *
   * <p>Models of research, which never give a mask or give scores, draw tokens as the reverse of
   * their noise does. Where noise is in vectors, {@linkplain Gaussian it is undone there}, and the
   * likeliest tokens are taken at the end.
   */
  public static Recipe of(Diffusion diffusion) {
    if (diffusion.noise() == Diffusion.Noise.GAUSSIAN) {
      return new Recipe(
          Sampling.greedy(), Gaussian.STANDARD, 0, 0, Cache.NONE, 0, 0, MOST_EDITING_STEPS);
    }
    if (diffusion.output() != Diffusion.Output.TOKENS) {
      return drawn(diffusion);
    }
    boolean inBlocks = diffusion.block() > 0;
    Cache cache = inBlocks ? Cache.BLOCKS : Cache.NONE;
    if (diffusion.noise() == Diffusion.Noise.UNIFORM) {
      return new Recipe(Sampling.plain(), Revising.STANDARD, 0, 0, cache, 0, 0, MOST_EDITING_STEPS);
    }
    TransferRule rule =
        diffusion.shifted()
            ? new Ranked(Ranking.ENTROPY, Quota.SCHEDULED, Schedule.TIMED)
            : Ranked.by(Ranking.CONFIDENCE);
    TransferRule blocks =
        new Ranked(Ranking.CONFIDENCE, new Quota.Threshold(0.9, true), Schedule.EVEN);
    return new Recipe(
        Sampling.greedy(), inBlocks ? blocks : rule, 0, 0, cache, 0, 0, MOST_EDITING_STEPS);
  }

  /** The same with what the files of a model say about it, as far as there is anything. */
  public static Recipe of(Model model) {
    Recipe recipe = of(model.architecture().diffusion());
    return switch (recipe.rule()) {
      case Revising rule -> recipe.withRule(rule.over(model.makersSettings()));
      case Gaussian rule -> recipe.withRule(rule.over(model.makersSettings()));
      default -> recipe;
    };
  }

  private static Recipe drawn(Diffusion diffusion) {
    boolean keeps = Cache.BLOCKS.isExact(diffusion);
    TransferRule rule =
        diffusion.output().isScore()
            ? new Reverse(Reverse.Predictor.ANALYTIC)
            : diffusion.block() > 0 ? new FirstHitting() : Ancestral.of(Schedule.EVEN);
    Cache cache = keeps ? Cache.BLOCKS : Cache.NONE;
    return new Recipe(Sampling.plain(), rule, 0, 0, cache, 0, 0, MOST_EDITING_STEPS);
  }

  public Recipe withSampling(Sampling other) {
    return new Recipe(other, rule, steps, window, cache, guidance, editing, editingSteps);
  }

  public Recipe withRule(TransferRule other) {
    return new Recipe(sampling, other, steps, window, cache, guidance, editing, editingSteps);
  }

  public Recipe withSteps(int other) {
    return new Recipe(sampling, rule, other, window, cache, guidance, editing, editingSteps);
  }

  public Recipe withWindow(int other) {
    return new Recipe(sampling, rule, steps, other, cache, guidance, editing, editingSteps);
  }

  public Recipe withCache(Cache other) {
    return new Recipe(sampling, rule, steps, window, other, guidance, editing, editingSteps);
  }

  public Recipe withGuidance(double other) {
    return new Recipe(sampling, rule, steps, window, cache, other, editing, editingSteps);
  }

  /**
   * Replaces tokens that were fixed before where the model has become surer of others.
   *
   * @see <a href="https://arxiv.org/abs/2602.08676">LLaDA2.1</a>
   */
  public Recipe withEditing(double other) {
    return new Recipe(sampling, rule, steps, window, cache, guidance, other, editingSteps);
  }
}
