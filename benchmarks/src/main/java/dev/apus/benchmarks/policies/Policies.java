package dev.apus.benchmarks.policies;

import dev.apus.benchmarks.report.MarkdownTable;
import dev.apus.benchmarks.report.Page;
import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.generate.Generation;
import dev.apus.core.generate.Sampling;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.stream.Stream;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Parameters;
import picocli.CommandLine.Spec;

/** The command {@code benchmarks/policies}. */
@Command(
    name = "policies",
    description = {
      "Measures attention policies against full attention: a prompt at once, and then token by"
          + " token. Models with a tokenizer read what they have written themselves, text after"
          + " text; others read random tokens."
    },
    mixinStandardHelpOptions = true,
    usageHelpAutoWidth = true)
public final class Policies implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Parameters(paramLabel = "MODEL", description = "A checkpoint.")
  private Path model;

  @Option(
      names = {"-p", "--prompt"},
      defaultValue = "1024",
      description = "Tokens of the prompt (default: ${DEFAULT-VALUE}).")
  private int prompt;

  @Option(
      names = {"-n", "--tokens"},
      defaultValue = "64",
      description = "Tokens after it, one at a time (default: ${DEFAULT-VALUE}).")
  private int tokens;

  @Option(
      names = {"-t", "--threads"},
      description = "Threads; as many as processors, if absent.")
  private Integer threads;

  @Option(
      names = {"-a", "--attention"},
      paramLabel = "POLICY",
      required = true,
      description = "A policy, as apus bench has it; may be repeated.")
  private List<String> policies;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      defaultValue = "policies.md",
      description = {
        "The page of Markdown to write (default: ${DEFAULT-VALUE}).",
        "In a page that exists, what stands between <!-- SECTION: begin --> and"
            + " <!-- SECTION: end --> is replaced."
      })
  private Path output;

  @Option(
      names = "--section",
      defaultValue = "policies",
      description = "The section of the page (default: ${DEFAULT-VALUE}).")
  private String section;

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Policies()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    if (prompt < 1 || tokens < 1) {
      throw new ParameterException(
          command.commandLine(), "--prompt and --tokens must be 1 or more");
    }
    Page page = new Page(output, section);
    ModelOptions options = ModelOptions.standard();
    ModelOptions chosen = threads == null ? options : options.withThreads(threads);
    int[] text = text(chosen);
    // Whoever comes first pays for compiling what all of them run.
    Trial.of(model, chosen, "full", text, prompt);
    Trial full = Trial.of(model, chosen, "full", text, prompt);
    MarkdownTable table =
        new MarkdownTable(
            List.of(
                "policy",
                "keys of the prompt",
                "its time",
                "keys of a token",
                "its time",
                "state",
                "change",
                "same choice"));
    table.add(row("full", full, full));
    for (String policy : policies) {
      table.add(row(policy, Trial.of(model, chosen, policy, text, prompt), full));
    }
    String markdown =
        String.format(
            Locale.ROOT,
            "A prompt of %d tokens, and %d single ones; %d threads. Full attention takes %.2f s for"
                + " the prompt and %.2f ms for a token.%n%n%s",
            prompt,
            tokens,
            chosen.threads(),
            full.promptSeconds(),
            full.tokenSeconds() * 1e3,
            table);
    page.write(markdown, Map.of());
    command.commandLine().getOut().println(markdown);
    command.commandLine().getOut().flush();
    return 0;
  }

  private static List<String> row(String policy, Trial trial, Trial full) {
    return List.of(
        "`" + policy + "`",
        percent(trial.promptKeys().share()),
        times(trial.promptSeconds() / full.promptSeconds()),
        percent(trial.tokenKeys().share()),
        times(trial.tokenSeconds() / full.tokenSeconds()),
        String.format(Locale.ROOT, "%.2f MB", trial.stateBytes() / 1e6),
        String.format(Locale.ROOT, "%.3f", trial.change(full)),
        percent(trial.agreement(full)));
  }

  private static String percent(double share) {
    return String.format(Locale.ROOT, "%.1f %%", 100 * share);
  }

  private static String times(double factor) {
    return String.format(Locale.ROOT, "× %.2f", factor);
  }

  /** What all policies read. */
  private int[] text(ModelOptions options) {
    int length = prompt + tokens;
    try (Model writer = Model.load(model, options)) {
      if (writer.storedTensors().isEmpty() || writer.endTokens().isEmpty()) {
        return new SplittableRandom(1)
            .ints(length, 0, writer.architecture().vocabulary())
            .toArray();
      }
      List<Integer> text = new ArrayList<>();
      for (int seed = 1; text.size() < length; seed++) {
        write(writer, seed, length - text.size()).forEach(text::add);
      }
      return text.stream().mapToInt(i -> i).toArray();
    }
  }

  /** A text that the model makes up, with the token that ends it. */
  private static Stream<Integer> write(Model writer, int seed, int most) {
    int[] end = writer.endTokens().stream().mapToInt(i -> i).limit(1).toArray();
    try (Session session = writer.newSession(most + 1)) {
      Sampling sampling = writer.sampling().withSeed(seed).withMaxTokens(most);
      Generation generation = session.start(end, sampling);
      generation.forEachRemaining(token -> {});
      return Arrays.stream(session.tokens()).skip(1).boxed().toList().stream();
    }
  }
}
