package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.generate.Sampling;
import dev.apus.diffusion.Ancestral;
import dev.apus.diffusion.Cache;
import dev.apus.diffusion.FirstHitting;
import dev.apus.diffusion.Gaussian;
import dev.apus.diffusion.Quota;
import dev.apus.diffusion.Ranked;
import dev.apus.diffusion.Ranking;
import dev.apus.diffusion.Recipe;
import dev.apus.diffusion.Reverse;
import dev.apus.diffusion.Revising;
import dev.apus.diffusion.Schedule;
import dev.apus.diffusion.TransferRule;
import java.util.ArrayList;
import java.util.List;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How a diffusion model fills a text in; what is absent is as the model's makers have it. */
final class DenoisingOptions {

  /** In which order positions are fixed. */
  private enum Rule {
    CONFIDENCE,
    TOP,
    MARGIN,
    ENTROPY,
    RANDOM,
    SEQUENTIAL,
    ANCESTRAL,
    FIRST_HITTING,
    ANALYTIC,
    EULER,
    REVISING,
    GAUSSIAN,
    DDIM
  }

  private enum Keep {
    NONE,
    PREFIX,
    DUAL,
    DELAYED,
    BLOCKS
  }

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = "--rule",
      paramLabel = "RULE",
      description =
          "Which positions are fixed first: ${COMPLETION-CANDIDATES}. Ancestral fixes each by"
              + " itself; first_hitting any one at each step; analytic and euler are for models of"
              + " scores; revising decides about all anew at each step; gaussian and ddim are for"
              + " noise in vectors.")
  private Rule rule;

  @ArgGroup private Quotas quotas = new Quotas();

  /** Ways to say how many positions a step fixes. */
  private static final class Quotas {

    @Option(
        names = "--threshold",
        paramLabel = "P",
        description = "Fix all tokens that are likelier than P, however many.")
    private Double threshold;

    @Option(
        names = "--factor",
        paramLabel = "F",
        description = "Fix as many tokens n as have (n + 1)(1 - P) below F.")
    private Double factor;

    @Option(
        names = "--entropy-bound",
        paramLabel = "H",
        description = "Fix as many tokens as have at most this entropy together, but for one.")
    private Double entropyBound;
  }

  @Option(
      names = "--steps",
      paramLabel = "N",
      description =
          "Evaluations for the whole text; if absent one a token, or what the rule's makers take.")
  private Integer steps;

  @Option(
      names = "--block",
      paramLabel = "N",
      description = "Fill so many tokens at a time, from left to right.")
  private Integer block;

  @Option(
      names = "--keep",
      paramLabel = "CACHE",
      description =
          "What is not computed again: ${COMPLETION-CANDIDATES}. All but none, and blocks where the"
              + " model has them, approximate.")
  private Keep keep;

  @Option(
      names = "--refresh",
      paramLabel = "N",
      description = "With --keep prefix, dual or delayed: compute everything after N evaluations.")
  private Integer refresh;

  @Option(
      names = "--guidance",
      paramLabel = "W",
      description = "Classifier-free guidance: how much more the prompt counts.")
  private Double guidance;

  @Option(
      names = "--editing",
      paramLabel = "P",
      description = "Replace tokens that were fixed where another one is likelier than P.")
  private Double editing;

  @Option(
      names = "--remasking",
      paramLabel = "ETA",
      description = "With --rule ancestral: how readily fixed tokens are masked again, 0 to 1.")
  private Double remasking;

  @Option(
      names = "--score-temp",
      paramLabel = "T",
      description = "Where noise is in vectors: what the noise that the model sees is divided by.")
  private Double scoreTemperature;

  @Option(
      names = "--drafts",
      description =
          "Show the text while it sharpens, in place on a terminal and as lines elsewhere.")
  private boolean drafts;

  boolean drafts() {
    return drafts;
  }

  /** Refuses options that have no meaning for a model that continues texts. */
  void requireNone(String model) {
    List<String> given = new ArrayList<>();
    Object[] values = {
      rule,
      quotas.threshold,
      quotas.factor,
      quotas.entropyBound,
      steps,
      block,
      keep,
      refresh,
      guidance,
      editing,
      remasking,
      scoreTemperature,
      drafts ? true : null
    };
    String[] names = {
      "--rule",
      "--threshold",
      "--factor",
      "--entropy-bound",
      "--steps",
      "--block",
      "--keep",
      "--refresh",
      "--guidance",
      "--editing",
      "--remasking",
      "--score-temp",
      "--drafts"
    };
    for (int i = 0; i < values.length; i++) {
      if (values[i] != null) {
        given.add(names[i]);
      }
    }
    if (!given.isEmpty()) {
      throw wrong(
          String.join(", ", given)
              + " fill a text in with a diffusion model; "
              + model
              + " continues texts",
          null);
    }
  }

  /** The recipe that was asked for. */
  Recipe recipe(Model model, Sampling sampling) {
    try {
      Recipe recipe = Recipe.of(model).withSampling(sampling);
      recipe = recipe.withRule(rule(recipe.rule()));
      recipe = keep == null ? recipe : recipe.withCache(cache());
      recipe = recipe.withSteps(steps == null ? 0 : steps).withWindow(block == null ? 0 : block);
      return recipe
          .withGuidance(guidance == null ? 0 : guidance)
          .withEditing(editing == null ? 0 : editing);
    } catch (IllegalArgumentException e) {
      throw wrong(e.getMessage(), e);
    }
  }

  private Cache cache() {
    if (refresh != null && (keep == Keep.NONE || keep == Keep.BLOCKS)) {
      throw wrong("--refresh goes with --keep prefix, dual or delayed", null);
    }
    int every = refresh == null ? 0 : refresh;
    return switch (keep) {
      case NONE -> Cache.NONE;
      case PREFIX -> new Cache.Prefix(every);
      case DUAL -> new Cache.Dual(every);
      case DELAYED -> new Cache.Delayed(every);
      case BLOCKS -> Cache.BLOCKS;
    };
  }

  private TransferRule rule(TransferRule makers) {
    if (refresh != null && keep == null) {
      throw wrong("--refresh goes with --keep prefix, dual or delayed", null);
    }
    if (remasking != null && rule != Rule.ANCESTRAL) {
      throw wrong("--remasking goes with --rule ancestral", null);
    }
    boolean inVectors =
        rule == null ? makers instanceof Gaussian : rule == Rule.GAUSSIAN || rule == Rule.DDIM;
    if (inVectors && quota(null) == null) {
      return gaussian(makers instanceof Gaussian theirs ? theirs : Gaussian.STANDARD);
    }
    if (scoreTemperature != null) {
      throw wrong("--score-temp goes with --rule gaussian or ddim, without a quota", null);
    }
    if (rule == Rule.ANCESTRAL) {
      if (quota(null) != null) {
        throw wrong("--rule ancestral fixes each position by itself, without a quota", null);
      }
      double strength = remasking == null ? 0 : remasking;
      return new Ancestral(Schedule.EVEN, Ancestral.Remasking.RESCALED, strength, false);
    }
    if (rule == Rule.REVISING || (rule == null && makers instanceof Revising)) {
      if (quotas.threshold != null || quotas.factor != null) {
        throw wrong(
            "--threshold and --factor go with rules that fix tokens for good, such as --rule"
                + " confidence; what revises has --entropy-bound",
            null);
      }
      Revising revising = makers instanceof Revising theirs ? theirs : Revising.STANDARD;
      return quotas.entropyBound == null ? revising : revising.withBound(quotas.entropyBound);
    }
    if (rule == null && quota(null) == null && !(makers instanceof Ranked)) {
      return makers;
    }
    TransferRule whole = whole();
    if (whole != null && quota(null) != null) {
      throw wrong(
          "this --rule says how many positions a step fixes; it goes without a quota", null);
    }
    if (whole != null) {
      return whole;
    }
    Ranked before = makers instanceof Ranked ranked ? ranked : Ranked.by(Ranking.CONFIDENCE);
    return new Ranked(
        rule == null ? before.ranking() : ranking(), quota(before.quota()), before.schedule());
  }

  private Gaussian gaussian(Gaussian makers) {
    Gaussian.Predictor predictor =
        switch (rule) {
          case GAUSSIAN -> Gaussian.Predictor.ANCESTRAL;
          case DDIM -> Gaussian.Predictor.DDIM;
          case null, default -> makers.predictor();
        };
    Gaussian chosen = makers.with(predictor);
    return scoreTemperature == null ? chosen : chosen.withScoreTemperature(scoreTemperature);
  }

  /** A rule that is no ranking, or null. */
  private TransferRule whole() {
    return switch (rule) {
      case FIRST_HITTING -> new FirstHitting();
      case ANALYTIC -> new Reverse(Reverse.Predictor.ANALYTIC);
      case EULER -> new Reverse(Reverse.Predictor.EULER);
      case GAUSSIAN, DDIM -> gaussian(Gaussian.STANDARD);
      case null, default -> null;
    };
  }

  private Ranking ranking() {
    return switch (rule) {
      case TOP -> Ranking.TOP_PROBABILITY;
      case MARGIN -> Ranking.MARGIN;
      case ENTROPY -> Ranking.ENTROPY;
      case RANDOM -> Ranking.RANDOM;
      case SEQUENTIAL -> Ranking.SEQUENTIAL;
      default -> Ranking.CONFIDENCE;
    };
  }

  private Quota quota(Quota absent) {
    if (quotas.threshold != null) {
      return new Quota.Threshold(quotas.threshold, false);
    }
    if (quotas.factor != null) {
      return new Quota.Factor(quotas.factor);
    }
    return quotas.entropyBound == null ? absent : new Quota.EntropyBound(quotas.entropyBound);
  }

  private ParameterException wrong(String message, Exception cause) {
    return new ParameterException(command.commandLine(), message, cause);
  }
}
