package dev.apus.cli;

import dev.apus.core.generate.Sampling;
import dev.apus.core.tokenizer.Tokenizer;
import java.util.List;
import java.util.function.BiFunction;
import java.util.function.Supplier;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Model.OptionSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** How tokens are chosen and when to stop; what is absent is as the model's makers have it. */
final class SamplingOptions {

  private static final String MAX_TOKENS = "--max-tokens";

  /** These options, those of warpers included. */
  @Spec(Spec.Target.SELF)
  private CommandSpec own;

  @Spec(Spec.Target.MIXEE)
  private CommandSpec command;

  @Option(
      names = {"-n", MAX_TOKENS},
      paramLabel = "N",
      description = "Tokens to generate at most; 512, if absent, or 128 with a diffusion model.")
  private Integer maxTokens;

  @ArgGroup private Choice choice = new Choice();

  /** Two ways to say how bold the choice is. */
  private static final class Choice {

    @Option(names = "--greedy", description = "Always take the most likely token.")
    private boolean greedy;

    @Option(
        names = {"--temp", "--temperature"},
        paramLabel = "T",
        description = "Divides the logits: below 1 is more careful, above 1 bolder, 0 greedy.")
    private Float temperature;
  }

  @Option(
      names = "--top-k",
      paramLabel = "K",
      description = "Choose among the K likeliest; 0 for all.")
  private Integer topK;

  @Option(
      names = "--top-p",
      paramLabel = "P",
      description = "Choose among the likeliest that have the probability P together.")
  private Float topP;

  @Option(
      names = "--min-p",
      paramLabel = "P",
      description = "Choose among those with at least the share P of the best one's probability.")
  private Float minP;

  @Option(
      names = "--repetition-penalty",
      paramLabel = "F",
      description = "Divides the logits of tokens that were there already; 1 for none.")
  private Float repetitionPenalty;

  @Option(
      names = "--frequency-penalty",
      paramLabel = "F",
      description = "Taken off a logit for each time its token was chosen.")
  private Float frequencyPenalty;

  @Option(
      names = "--presence-penalty",
      paramLabel = "F",
      description = "Taken off a logit if its token was chosen at all.")
  private Float presencePenalty;

  @Option(
      names = "--seed",
      paramLabel = "N",
      description = "The same seed gives the same text; another each time, if absent.")
  private Long seed;

  @Option(
      names = "--stop",
      paramLabel = "TEXT",
      description = "Stop before this text; may be given several times.")
  private List<String> stop = List.of();

  @Mixin private WarperOptions warpers;

  /**
   * The sampling that was asked for.
   *
   * @param models as the model's makers have it
   * @param tokenizer asked only where texts are to become tokens
   */
  Sampling over(Sampling models, Supplier<Tokenizer> tokenizer) {
    try {
      Sampling sampling = seed == null ? models.withRandomSeed() : models.withSeed(seed);
      sampling = choice.greedy ? sampling.withTemperature(0) : sampling;
      sampling = with(sampling, choice.temperature, Sampling::withTemperature);
      sampling = with(sampling, maxTokens, Sampling::withMaxTokens);
      sampling = with(sampling, topK, Sampling::withTopK);
      sampling = with(sampling, topP, Sampling::withTopP);
      sampling = with(sampling, minP, Sampling::withMinP);
      sampling = with(sampling, repetitionPenalty, Sampling::withRepetitionPenalty);
      sampling = with(sampling, frequencyPenalty, Sampling::withFrequencyPenalty);
      sampling = with(sampling, presencePenalty, Sampling::withPresencePenalty);
      sampling = warpers.over(sampling, tokenizer);
      return stop.isEmpty() ? sampling : sampling.withStop(stop.toArray(String[]::new));
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command.commandLine(), e.getMessage(), e);
    }
  }

  /**
   * Makes sure that nothing says how to draw tokens: no option of these but how many there are.
   *
   * @throws ParameterException if something does
   */
  void requireNoChoice(String instead) {
    for (OptionSpec option : command.commandLine().getParseResult().matchedOptions()) {
      String name = option.longestName();
      if (own.findOption(name) != null && !name.equals(MAX_TOKENS)) {
        throw new ParameterException(
            command.commandLine(), name + " has no meaning with " + instead);
      }
    }
  }

  private static <T> Sampling with(
      Sampling sampling, T value, BiFunction<Sampling, T, Sampling> change) {
    return value == null ? sampling : change.apply(sampling, value);
  }
}
