package dev.apus.core.generate;

import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Consumer;

/**
 * How tokens are chosen and when to stop. Start from {@link #greedy}, {@link #standard} or {@link
 * #plain} and change what you need; every change is checked.
 *
 * <p>The same logits, sampling and seed give the same tokens on every machine. Processors, the
 * constraint and penalties come first, then temperature, top-k, top-p and min-p, in that order,
 * then the warpers. Of these, top-k and min-p may be exchanged; top-p sees the probabilities that
 * top-k left over, scaled to sum to 1, and so do warpers.
 *
 * @param temperature divides the logits; 0 takes the most likely token, the lowest id among equals
 * @param topK keeps this many of the most likely tokens; 0 keeps all
 * @param topP keeps the shortest list of most likely tokens with at least this probability
 *     together; 1 keeps all, 0 only the most likely
 * @param minP keeps tokens with at least this share of the most likely token's probability; 0 keeps
 *     all
 * @param repetitionPenalty divides positive and multiplies negative logits of tokens of the prompt
 *     and of those chosen since; 1 changes nothing
 * @param frequencyPenalty subtracted from a logit once for each time the token was chosen
 * @param presencePenalty subtracted from a logit if the token was chosen at all
 * @param penaltyWindow how many of the last tokens the penalties look at; 0 for all
 * @param seed of the random numbers; every token that is not chosen greedily takes one, and one for
 *     each {@link Xtc}
 * @param maxTokens how many tokens to choose at most
 * @param stopTexts texts that end the generation; the one that is complete first counts, the
 *     longest if several are. Neither it nor anything after it is part of the text
 * @param stopTokens tokens that end the generation, besides those with which the model ends a text
 * @param topLogProbabilities how many of the likeliest tokens to report with each token
 * @param processors see and may change the logits before everything else, in this order
 * @param warpers further ways to change what is chosen from, in this order
 * @param constraint what the text must be, or null if it may be anything; where there is one, it
 *     says where the text ends, and there are no stop texts
 */
public record Sampling(
    float temperature,
    int topK,
    float topP,
    float minP,
    float repetitionPenalty,
    float frequencyPenalty,
    float presencePenalty,
    int penaltyWindow,
    long seed,
    int maxTokens,
    List<String> stopTexts,
    Set<Integer> stopTokens,
    int topLogProbabilities,
    List<LogitsProcessor> processors,
    List<Warper> warpers,
    Constraint constraint) {

  /**
   * Checks every value.
   *
   * @throws IllegalArgumentException naming the first value that is out of its range
   */
  public Sampling {
    String notNegative = "at least 0";
    Ranges.require(
        isWithin(temperature, 0, Float.MAX_VALUE),
        "temperature",
        temperature,
        "0 or a positive number");
    Ranges.require(topK >= 0, "topK", topK, notNegative);
    Ranges.require(isWithin(topP, 0, 1), "topP", topP, "0 to 1");
    Ranges.require(isWithin(minP, 0, 1), "minP", minP, "0 to 1");
    Ranges.require(
        isWithin(repetitionPenalty, Float.MIN_NORMAL, Float.MAX_VALUE),
        "repetitionPenalty",
        repetitionPenalty,
        "a positive number");
    Ranges.require(
        Float.isFinite(frequencyPenalty), "frequencyPenalty", frequencyPenalty, "a finite number");
    Ranges.require(
        Float.isFinite(presencePenalty), "presencePenalty", presencePenalty, "a finite number");
    Ranges.require(penaltyWindow >= 0, "penaltyWindow", penaltyWindow, notNegative);
    Ranges.require(maxTokens >= 1, "maxTokens", maxTokens, "at least 1");
    Ranges.require(
        topLogProbabilities >= 0, "topLogProbabilities", topLogProbabilities, notNegative);
    stopTexts = List.copyOf(stopTexts);
    stopTokens = Set.copyOf(stopTokens);
    processors = List.copyOf(processors);
    warpers = List.copyOf(warpers);
    for (String text : stopTexts) {
      Ranges.require(!text.isEmpty(), "stopTexts", stopTexts, "texts that are not empty");
      Ranges.require(
          isWellFormed(text), "stopTexts", stopTexts, "texts without halves of surrogate pairs");
    }
    Ranges.require(
        constraint == null || stopTexts.isEmpty(),
        "stopTexts",
        stopTexts,
        "none beside a constraint, which says where the text ends");
    for (int token : stopTokens) {
      Ranges.require(token >= 0, "stopTokens", stopTokens, "ids of at least 0");
    }
  }

  /** Always the most likely token; at most 512. */
  public static Sampling greedy() {
    return plain().withTemperature(0);
  }

  /** A usual choice for stories and talk: temperature 0.8, top-k 40, top-p 0.95; at most 512. */
  public static Sampling standard() {
    return plain().withTemperature(0.8f).withTopK(40).withTopP(0.95f);
  }

  /** Draws from the model's own distribution, with seed 0; at most 512 tokens. */
  public static Sampling plain() {
    return new Sampling(
        1, 0, 1, 0, 1, 0, 0, 0, 0, 512, List.of(), Set.of(), 0, List.of(), List.of(), null);
  }

  public Sampling withTemperature(float temperature) {
    return with(values -> values.temperature = temperature);
  }

  public Sampling withTopK(int topK) {
    return with(values -> values.topK = topK);
  }

  public Sampling withTopP(float topP) {
    return with(values -> values.topP = topP);
  }

  public Sampling withMinP(float minP) {
    return with(values -> values.minP = minP);
  }

  public Sampling withRepetitionPenalty(float repetitionPenalty) {
    return with(values -> values.repetitionPenalty = repetitionPenalty);
  }

  public Sampling withFrequencyPenalty(float frequencyPenalty) {
    return with(values -> values.frequencyPenalty = frequencyPenalty);
  }

  public Sampling withPresencePenalty(float presencePenalty) {
    return with(values -> values.presencePenalty = presencePenalty);
  }

  public Sampling withPenaltyWindow(int penaltyWindow) {
    return with(values -> values.penaltyWindow = penaltyWindow);
  }

  public Sampling withSeed(long seed) {
    return with(values -> values.seed = seed);
  }

  /** With a seed that differs each time; {@link #seed()} tells which it is. */
  public Sampling withRandomSeed() {
    return withSeed(new SecureRandom().nextLong());
  }

  public Sampling withMaxTokens(int maxTokens) {
    return with(values -> values.maxTokens = maxTokens);
  }

  /** With these stop texts instead of any before. */
  public Sampling withStop(String... texts) {
    List<String> stopTexts = List.of(texts);
    return with(values -> values.stopTexts = stopTexts);
  }

  /** With these stop tokens instead of any before. */
  public Sampling withStopTokens(Set<Integer> tokens) {
    return with(values -> values.stopTokens = tokens);
  }

  public Sampling withTopLogProbabilities(int count) {
    return with(values -> values.topLogProbabilities = count);
  }

  /** With one more processor, after any before. */
  public Sampling withProcessor(LogitsProcessor processor) {
    List<LogitsProcessor> all = new ArrayList<>(processors);
    all.add(processor);
    return with(values -> values.processors = all);
  }

  /** With this constraint instead of any before; null for none. */
  public Sampling withConstraint(Constraint constraint) {
    return with(values -> values.constraint = constraint);
  }

  /** With one more warper, after any before. */
  public Sampling withWarper(Warper warper) {
    List<Warper> all = new ArrayList<>(warpers);
    all.add(warper);
    return with(values -> values.warpers = all);
  }

  /** With these warpers instead of any before. */
  public Sampling withWarpers(List<Warper> warpers) {
    return with(values -> values.warpers = warpers);
  }

  private Sampling with(Consumer<Values> change) {
    Values values = new Values(this);
    change.accept(values);
    return values.sampling();
  }

  private static boolean isWithin(float value, float least, float most) {
    return value >= least && value <= most;
  }

  private static boolean isWellFormed(String text) {
    return StandardCharsets.UTF_8.newEncoder().canEncode(text);
  }

  /** The components, open to one change. */
  private static final class Values {
    float temperature;
    int topK;
    float topP;
    float minP;
    float repetitionPenalty;
    float frequencyPenalty;
    float presencePenalty;
    int penaltyWindow;
    long seed;
    int maxTokens;
    List<String> stopTexts;
    Set<Integer> stopTokens;
    int topLogProbabilities;
    List<LogitsProcessor> processors;
    List<Warper> warpers;
    Constraint constraint;

    Values(Sampling of) {
      temperature = of.temperature;
      topK = of.topK;
      topP = of.topP;
      minP = of.minP;
      repetitionPenalty = of.repetitionPenalty;
      frequencyPenalty = of.frequencyPenalty;
      presencePenalty = of.presencePenalty;
      penaltyWindow = of.penaltyWindow;
      seed = of.seed;
      maxTokens = of.maxTokens;
      stopTexts = of.stopTexts;
      stopTokens = of.stopTokens;
      topLogProbabilities = of.topLogProbabilities;
      processors = of.processors;
      warpers = of.warpers;
      constraint = of.constraint;
    }

    Sampling sampling() {
      return new Sampling(
          temperature,
          topK,
          topP,
          minP,
          repetitionPenalty,
          frequencyPenalty,
          presencePenalty,
          penaltyWindow,
          seed,
          maxTokens,
          stopTexts,
          stopTokens,
          topLogProbabilities,
          processors,
          warpers,
          constraint);
    }
  }
}
