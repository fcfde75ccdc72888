package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.Session;
import dev.apus.core.generate.Generation;
import dev.apus.core.generate.Sampling;
import dev.apus.core.generate.StopReason;
import dev.apus.core.generate.Usage;
import dev.apus.core.model.KeyVisits;
import dev.apus.diffusion.Gaussian;
import dev.apus.diffusion.Recipe;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.charset.CharacterCodingException;
import java.util.List;
import java.util.Locale;
import java.util.concurrent.Callable;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.ParentCommand;
import picocli.CommandLine.Spec;

/** {@code apus generate}: continues a text. */
@Command(
    name = "generate",
    description = {
      "Continues a text and prints it while it is generated.",
      "A diffusion model fills the text in: <gap:24> stands for 24 tokens that are to be found."
    },
    footer = {
      "  apus generate \"Once upon a time\"",
      "  apus generate --seed 7 -n 200 --temp 0.6 --stop \"The End\" \"The fox said\"",
      "  apus generate -m models/Qwen3-0.6B --greedy - < prompt.txt",
      "  apus generate --choice yes --choice no \"Is a swift a bird? \"",
      "  apus generate -m fable-diffusion --drafts \"The king <gap:24> ever after.\""
    })
final class Generate implements Callable<Integer> {

  /** A canvas is as large as it is asked to be, and each token of it costs as much. */
  private static final int FILLED_TOKENS = 128;

  @Spec private CommandSpec command;
  @ParentCommand private Apus apus;
  @Mixin private ModelChoice choice;
  @Mixin private SamplingOptions sampling;
  @Mixin private BeamOptions beams;
  @Mixin private Opening opening;
  @Mixin private CacheChoice cache;
  @Mixin private AttentionChoice attention;
  @Mixin private DenoisingOptions denoising;
  @Mixin private StructureOptions structure;

  @Option(
      names = "--after",
      paramLabel = "MARK",
      description = "The text is free up to this mark, such as </think>, and has its form then.")
  private String after;

  @Option(
      names = "--limit",
      paramLabel = "TOKENS",
      description = "Tokens of prompt and text together; what they need, if absent.")
  private Integer limit;

  @Option(
      names = "--raw",
      description = "Add no tokens to the prompt, such as one that begins every text.")
  private boolean raw;

  @Option(
      names = "--special",
      description = "Read names of special tokens in the prompt as these tokens.")
  private boolean special;

  @Option(names = "--echo", description = "Print the prompt before the text.")
  private boolean echo;

  @Parameters(paramLabel = "PROMPT", description = "The text to continue; - reads it from stdin.")
  private String prompt;

  @Override
  public Integer call() throws IOException {
    String text = prompt.equals("-") ? input() : prompt;
    try (Model model = choice.open(attention.over(cache.over(opening.options())))) {
      if (model.architecture().diffusion() != null) {
        fill(model, text);
        return Failures.OK;
      }
      denoising.requireNone(choice.name());
      Sampling wanted = structure.over(sampling.over(model.sampling(), model::tokenizer), after);
      int[] tokens = choice.tokenizer(model).encode(text, !raw, special);
      try (Session session = session(model, tokens.length, wanted.maxTokens())) {
        if (beams.areGiven()) {
          if (structure.wanted()) {
            throw wrong("--beams does not go together with a form of the text", null);
          }
          sampling.requireNoChoice("--beams");
          beams.run(session, tokens, wanted.maxTokens(), command.commandLine().getOut());
          return Failures.OK;
        }
        Generation generation = start(session, tokens, wanted);
        Interruption.during(session, () -> generate(session, generation, text, wanted));
        return cut(generation) ? Failures.CUT_OFF : Failures.OK;
      }
    }
  }

  /** Whether the text does not have the form that it was to have; if so, says so. */
  private boolean cut(Generation generation) {
    StopReason reason = generation.stopReason().orElse(StopReason.FAILED);
    boolean cut = reason == StopReason.INCOMPLETE;
    if (cut) {
      command
          .commandLine()
          .getErr()
          .println(
              command.qualifiedName()
                  + ": the text was cut off before it was complete; more --max-tokens are needed");
    }
    return cut || (structure.wanted() && reason == StopReason.CANCELLED);
  }

  private void fill(Model model, String text) throws IOException {
    if (structure.wanted()) {
      throw wrong(
          choice.name()
              + " is a diffusion model, which does not write from the beginning to the end;"
              + " --json, --json-schema, --regex, --grammar and --choice are for models that do",
          null);
    }
    if (raw || special || beams.areGiven()) {
      throw wrong("--raw, --special and --beams are for models that continue texts", null);
    }
    choice.tokenizer(model);
    // What a text's makers say of tokens that were there before has no meaning on a canvas.
    Sampling makers =
        model
            .sampling()
            .withRepetitionPenalty(1)
            .withFrequencyPenalty(0)
            .withPresencePenalty(0)
            .withWarpers(List.of())
            .withMaxTokens(FILLED_TOKENS);
    if (Recipe.of(model).rule() instanceof Gaussian) {
      // Vectors are drawn, and the likeliest tokens taken of what they are at the end.
      makers = makers.withTemperature(0);
    }
    Recipe recipe = denoising.recipe(model, sampling.over(makers, model::tokenizer));
    PrintWriter out = command.commandLine().getOut();
    CanvasView view = CanvasView.of(out, denoising.drafts());
    try {
      String summary = new Fill(model, recipe, view).run(text, limit, echo, out);
      apus.note(command.commandLine().getErr(), summary);
    } catch (IllegalArgumentException e) {
      throw wrong(choice.name() + ": " + e.getMessage(), e);
    }
  }

  private String input() throws IOException {
    try {
      return Console.read(System.in);
    } catch (CharacterCodingException e) {
      throw wrong("the prompt from stdin is not UTF-8", e);
    }
  }

  private Session session(Model model, int promptTokens, int maxTokens) {
    long needed = Math.max(1, Math.min(Integer.MAX_VALUE, (long) promptTokens + maxTokens));
    int context = model.architecture().context();
    return choice.session(model, limit != null ? limit : (int) Math.min(context, needed));
  }

  private Generation start(Session session, int[] tokens, Sampling wanted) {
    try {
      return session.start(tokens, wanted);
    } catch (IllegalArgumentException e) {
      throw wrong(e.getMessage(), e);
    }
  }

  private ParameterException wrong(String message, Exception cause) {
    return new ParameterException(command.commandLine(), message, cause);
  }

  private void generate(Session session, Generation generation, String text, Sampling wanted) {
    PrintWriter out = command.commandLine().getOut();
    String last = echo ? text : "";
    out.print(last);
    try {
      while (generation.hasNext()) {
        String piece = generation.next().text();
        out.print(piece);
        if (out.checkError()) {
          generation.close();
        }
        last = piece.isEmpty() ? last : piece;
      }
    } finally {
      out.print(last.endsWith("\n") ? "" : "\n");
      out.flush();
    }
    apus.note(command.commandLine().getErr(), summary(session, generation, wanted));
  }

  private static String summary(Session session, Generation generation, Sampling wanted) {
    Usage usage = generation.usage();
    return String.format(
        Locale.ROOT,
        "%d prompt tokens at %s/s, %d tokens at %s/s until %s; %s; weights %s, state %s%s%s",
        usage.promptTokens(),
        Units.rate(usage.promptTokensPerSecond()),
        usage.generatedTokens(),
        Units.rate(usage.tokensPerSecond()),
        reason(generation),
        wanted.temperature() == 0 ? "greedy" : "seed " + wanted.seed(),
        Units.bytes(session.model().weightBytes()),
        Units.bytes(session.bytes()),
        keys(session.keyVisits()),
        Opening.experts(session.model()));
  }

  /** How many keys were visited, unless it was all of them. */
  private static String keys(KeyVisits visits) {
    return visits.visited() == visits.seen()
        ? ""
        : String.format(Locale.ROOT, "; %.1f %% of all keys visited", 100 * visits.share());
  }

  private static String reason(Generation generation) {
    return switch (generation.stopReason().orElse(StopReason.FAILED)) {
      case END_OF_TEXT, STOP_TOKEN -> "the text ended";
      case COMPLETE -> "it was complete";
      case INCOMPLETE -> "it was cut off";
      case STOP_TEXT -> "a stop text";
      case MAX_TOKENS -> "--max-tokens";
      case CONTEXT_FULL -> "the context was full";
      case CANCELLED -> "interrupted";
      case FAILED -> "it failed";
    };
  }
}
