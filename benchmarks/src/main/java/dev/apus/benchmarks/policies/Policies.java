package dev.apus.benchmarks.policies;

import dev.apus.benchmarks.report.Machine;
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
import java.util.LinkedHashMap;
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
          + " token, after a shorter text to warm up. Models with a tokenizer read what they have"
          + " written themselves, text after text; others read random tokens."
    },
    mixinStandardHelpOptions = true,
    usageHelpAutoWidth = true)
public final class Policies implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Parameters(
      paramLabel = "MODEL",
      arity = "0..1",
      description = {
        "A checkpoint; without one, a dense model with random weights, whose attention takes most"
            + " of the time."
      })
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
      description = {
        "A policy, as apus bench has it; may be repeated. All that the model can follow, if absent."
      })
  private List<String> policies = List.of();

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
    // What a model says of itself when it is opened is in the report.
    System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return new CommandLine(new Policies());
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
    Subject subject = model == null ? Subject.random(prompt + tokens) : Subject.of(model);
    int[] text = text(subject, chosen);
    List<String> all = policies.isEmpty() ? subject.policies() : policies;
    Map<String, Trial> trials = new LinkedHashMap<>();
    for (String policy : all) {
      trials.put(policy, run(subject, chosen, policy, text));
    }
    Trial full = run(subject, chosen, "full", text);
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
    trials.forEach((policy, trial) -> table.add(row(policy, trial, full)));
    String markdown =
        String.format(
            Locale.ROOT,
            "%sA prompt of %d tokens, and %d single ones; %d threads. Full attention takes %.2f s"
                + " for the prompt and %.2f ms for a token. %s.%n%n%s",
            subject.words(),
            prompt,
            tokens,
            chosen.threads(),
            full.promptSeconds(),
            full.tokenSeconds() * 1e3,
            Machine.here(),
            table);
    page.write(markdown, Map.of());
    command.commandLine().getOut().println(markdown);
    command.commandLine().getOut().flush();
    return 0;
  }

  private Trial run(Subject subject, ModelOptions options, String policy, int[] text) {
    long start = System.nanoTime();
    Trial trial = Trial.of(subject, options, policy, text, prompt);
    String line =
        String.format(
            Locale.ROOT,
            "%s: %.2f s for the prompt, %.2f ms a token; %.0f s in all",
            policy,
            trial.promptSeconds(),
            trial.tokenSeconds() * 1e3,
            (System.nanoTime() - start) / 1e9);
    command.commandLine().getErr().println(line);
    command.commandLine().getErr().flush();
    return trial;
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
  private int[] text(Subject subject, ModelOptions options) {
    int length = prompt + tokens;
    try (Model writer = subject.opener().open(options)) {
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
