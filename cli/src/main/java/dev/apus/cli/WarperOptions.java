package dev.apus.cli;

import dev.apus.core.generate.Dry;
import dev.apus.core.generate.EpsilonCutoff;
import dev.apus.core.generate.EtaCutoff;
import dev.apus.core.generate.LogitBias;
import dev.apus.core.generate.Mirostat;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.TopNSigma;
import dev.apus.core.generate.Typical;
import dev.apus.core.generate.Warper;
import dev.apus.core.generate.Xtc;
import dev.apus.core.tokenizer.Tokenizer;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import java.util.function.Supplier;
import picocli.CommandLine.ArgGroup;
import picocli.CommandLine.Option;

/** The rarer ways to change what a token is chosen from, in the order in which they stand here. */
final class WarperOptions {

  @Option(
      names = "--logit-bias",
      paramLabel = "ID=NUMBER",
      description = "Added to the logit of a token, such as 11=-2.5; may be given several times.")
  private Map<Integer, Float> bias = Map.of();

  @ArgGroup(exclusive = false)
  private Repeats dry;

  /** Against repeated sequences. */
  private static final class Repeats {

    @Option(
        names = "--dry",
        paramLabel = "M",
        required = true,
        description =
            "Makes tokens less likely that would go on repeating a sequence (DRY): the multiplier,"
                + " such as 0.8.")
    private float multiplier;

    @Option(
        names = "--dry-base",
        paramLabel = "B",
        defaultValue = "1.75",
        description = "How the penalty grows with the length (default: ${DEFAULT-VALUE}).")
    private float base;

    @Option(
        names = "--dry-allowed-length",
        paramLabel = "N",
        defaultValue = "2",
        description = "The shortest sequence that is punished (default: ${DEFAULT-VALUE}).")
    private int allowed;

    @Option(
        names = "--dry-window",
        paramLabel = "N",
        defaultValue = "0",
        description = "How many of the last tokens count; 0, the default, for all.")
    private int window;

    @Option(
        names = "--dry-breaker",
        paramLabel = "TEXT",
        description = {
          "Sequences do not go across tokens with this text; may be given several times.",
          "Ends of lines, colons, quotes and asterisks, if absent."
        })
    private List<String> breakers = Dry.BREAKERS;

    Dry with(Tokenizer tokenizer) {
      return new Dry(multiplier, base, allowed, window, Dry.tokensWith(breakers, tokenizer));
    }
  }

  @Option(
      names = "--top-n-sigma",
      paramLabel = "N",
      description = "Choose among those within N standard deviations of the largest logit.")
  private Float sigma;

  @Option(
      names = "--typical",
      paramLabel = "P",
      description = "Choose among those that surprise as expected and have P together.")
  private Float typical;

  @Option(
      names = "--epsilon-cutoff",
      paramLabel = "P",
      description = "Choose among those that are at least as likely as P.")
  private Float epsilon;

  @Option(
      names = "--eta-cutoff",
      paramLabel = "P",
      description = "Likewise, and less strictly where the model is of many minds.")
  private Float eta;

  @ArgGroup(exclusive = false)
  private TopChoices xtc;

  /** Without the top choices, now and then. */
  private static final class TopChoices {

    @Option(
        names = "--xtc",
        paramLabel = "P",
        required = true,
        description =
            "With this probability, excludes the top choices (XTC) but the least likely of them.")
    private float probability;

    @Option(
        names = "--xtc-threshold",
        paramLabel = "P",
        defaultValue = "0.1",
        description = "How likely a top choice is at least (default: ${DEFAULT-VALUE}).")
    private float threshold;
  }

  @ArgGroup(exclusive = false)
  private Surprise mirostat;

  /** As much surprise as wanted. */
  private static final class Surprise {

    @Option(
        names = "--mirostat",
        paramLabel = "BITS",
        required = true,
        description = "Steers the surprise of tokens (Mirostat 2) to this many bits, such as 5.")
    private float bits;

    @Option(
        names = "--mirostat-rate",
        paramLabel = "R",
        defaultValue = "0.1",
        description = "How fast (default: ${DEFAULT-VALUE}).")
    private float rate;
  }

  /**
   * A sampling with what was asked for.
   *
   * @param tokenizer asked only where texts are to become tokens
   */
  Sampling over(Sampling sampling, Supplier<Tokenizer> tokenizer) {
    Sampling all = with(sampling, bias.isEmpty() ? null : bias, LogitBias::new);
    all = with(all, dry, asked -> asked.with(tokenizer.get()));
    all = with(all, sigma, TopNSigma::new);
    all = with(all, typical, Typical::new);
    all = with(all, epsilon, EpsilonCutoff::new);
    all = with(all, eta, EtaCutoff::new);
    all = with(all, xtc, asked -> new Xtc(asked.probability, asked.threshold));
    return with(all, mirostat, asked -> new Mirostat(asked.bits, asked.rate));
  }

  private static <T> Sampling with(Sampling sampling, T asked, Function<T, Warper> warper) {
    return asked == null ? sampling : sampling.withWarper(warper.apply(asked));
  }
}
