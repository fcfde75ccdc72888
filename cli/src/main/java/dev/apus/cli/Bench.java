package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.kernels.KernelReport;
import dev.apus.kernels.Kernels;
import java.io.PrintWriter;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Mixin;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** {@code apus bench}: how fast a model is here. */
@Command(
    name = "bench",
    description = {
      "Measures tokens per second: pp reads a prompt at once, tg generates token by token.",
      "Tokens are drawn at random. Each test runs for a while to warm up, because the JVM compiles"
          + " what it runs often, and then as often as asked."
    },
    footer = {
      "  apus bench -m models/Qwen3-0.6B",
      "  apus bench -m models/Qwen3-0.6B -p 2048 -n 0 -t 8 -r 10 -o md"
    })
final class Bench implements Callable<Integer> {

  /** Ways to print the result. */
  enum Output {
    table,
    json,
    md
  }

  @Spec private CommandSpec command;
  @Mixin private ModelChoice choice;
  @Mixin private Opening opening;

  @Option(
      names = {"-p", "--prompt"},
      paramLabel = "N",
      defaultValue = "512",
      description = "Tokens of the prompt; 0 leaves the test out (default: ${DEFAULT-VALUE}).")
  private int prompt;

  @Option(
      names = {"-n", "--generate"},
      paramLabel = "N",
      defaultValue = "128",
      description = "Tokens to generate; 0 leaves the test out (default: ${DEFAULT-VALUE}).")
  private int generate;

  @Option(
      names = {"-r", "--repetitions"},
      paramLabel = "N",
      defaultValue = "5",
      description = "Runs of each test (default: ${DEFAULT-VALUE}).")
  private int repetitions;

  @Option(
      names = {"-w", "--warm-up"},
      paramLabel = "SECONDS",
      defaultValue = "2",
      description = "How long to warm up; one run at least (default: ${DEFAULT-VALUE}).")
  private int warmUp;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FORMAT",
      defaultValue = "table",
      description = "One of ${COMPLETION-CANDIDATES} (default: ${DEFAULT-VALUE}).")
  private Output output;

  @Override
  public Integer call() {
    if (prompt < 0 || generate < 0 || repetitions < 1 || prompt + (long) generate == 0) {
      throw new ParameterException(
          command.commandLine(),
          String.format(
              Locale.ROOT,
              "-p %d -n %d -r %d measures nothing; needed: -p or -n above 0, -r of 1 or more",
              prompt,
              generate,
              repetitions));
    }
    ModelOptions options = opening.options();
    try (Model model = choice.open(options)) {
      // What is too long for the model is refused before anything is measured.
      choice.session(model, Math.max(prompt, generate)).close();
      List<Speed> speeds = new ArrayList<>();
      if (prompt > 0) {
        speeds.add(measure(model, "pp" + prompt, prompt, prompt));
      }
      if (generate > 0) {
        speeds.add(measure(model, "tg" + generate, generate, 1));
      }
      print(model, options, speeds);
    }
    return Failures.OK;
  }

  /** Tokens per second in each run of one test. */
  private record Speed(String test, List<Double> runs) {

    double mean() {
      return runs.stream().mapToDouble(run -> run).average().orElse(0);
    }

    /** The sample's standard deviation; 0 for a single run. */
    double deviation() {
      double mean = mean();
      double squares = runs.stream().mapToDouble(run -> (run - mean) * (run - mean)).sum();
      return runs.size() < 2 ? 0 : Math.sqrt(squares / (runs.size() - 1));
    }
  }

  private Speed measure(Model model, String test, int tokens, int atOnce) {
    SplittableRandom random = new SplittableRandom(1);
    long warm = 0;
    do {
      warm += run(model, tokens, atOnce, random);
    } while (warm < warmUp * 1_000_000_000L);
    List<Double> runs = new ArrayList<>();
    for (int i = 0; i < repetitions; i++) {
      runs.add(tokens * 1e9 / run(model, tokens, atOnce, random));
    }
    return new Speed(test, List.copyOf(runs));
  }

  /** Nanoseconds for so many tokens in an empty session. */
  private static long run(Model model, int tokens, int atOnce, SplittableRandom random) {
    int[] ids = random.ints(tokens, 0, model.architecture().vocabulary()).toArray();
    try (Session session = model.newSession(tokens)) {
      long start = System.nanoTime();
      for (int at = 0; at < tokens; at += atOnce) {
        session.append(Arrays.copyOfRange(ids, at, at + atOnce));
        session.logits();
      }
      return System.nanoTime() - start;
    }
  }

  private void print(Model model, ModelOptions options, List<Speed> speeds) {
    PrintWriter out = command.commandLine().getOut();
    KernelReport report = Kernels.report();
    if (output == Output.json) {
      out.println(json(model, options, speeds));
      return;
    }
    Table table =
        new Table("model", "size", "parameters", "kernels", "threads", "test", "tokens/s");
    for (Speed speed : speeds) {
      table.add(
          choice.name(),
          Units.bytes(model.weightBytes()),
          Units.count(model.parameters()),
          options.kernels().name(),
          String.valueOf(options.threads()),
          speed.test,
          Units.rate(speed.mean()) + " ± " + Units.rate(speed.deviation()));
    }
    if (output == Output.md) {
      table.printMarkdown(out);
    } else {
      table.print(out);
    }
    out.println();
    out.println(report.jdk());
  }

  private String json(Model model, ModelOptions options, List<Speed> speeds) {
    String tests =
        speeds.stream()
            .map(
                speed ->
                    String.format(
                        Locale.ROOT,
                        "    { \"test\" : \"%s\", \"tokensPerSecond\" : %.3f,"
                            + " \"deviation\" : %.3f, \"runs\" : %s }",
                        speed.test,
                        speed.mean(),
                        speed.deviation(),
                        speed.runs))
            .collect(Collectors.joining(",\n"));
    return String.format(
        Locale.ROOT,
        """
        {
          "model" : %s,
          "family" : %s,
          "weightBytes" : %d,
          "parameters" : %d,
          "kernels" : %s,
          "threads" : %d,
          "jdk" : %s,
          "tests" : [
        %s
          ]
        }\
        """,
        quoted(choice.name()),
        quoted(model.architecture().family()),
        model.weightBytes(),
        model.parameters(),
        quoted(options.kernels().name()),
        options.threads(),
        quoted(Kernels.report().jdk()),
        tests);
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
