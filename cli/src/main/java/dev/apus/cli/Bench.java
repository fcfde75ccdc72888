package dev.apus.cli;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.kernels.KernelReport;
import dev.apus.kernels.Kernels;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalLong;
import java.util.SplittableRandom;
import java.util.concurrent.Callable;
import java.util.stream.Collectors;
import java.util.stream.Stream;
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
      "Tokens are drawn at random. Each test begins with an empty context, or after the tokens of"
          + " -d, and runs for a while to warm up, because the JVM compiles what it runs often, and"
          + " then as often as asked."
    },
    footer = {
      "  apus bench -m models/Qwen3-0.6B",
      "  apus bench -m models/Qwen3-0.6B -p 2048 -n 0 -t 8 -r 10 -o md",
      "  apus bench -m models/Qwen3-0.6B -p 0 -n 64 -d 8192",
      "  apus bench -m models/mamba2-130m -p 0 -n 16 --sessions 1000"
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
  @Mixin private CacheChoice cache;
  @Mixin private AttentionChoice attention;

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
      names = {"-d", "--depth"},
      paramLabel = "N",
      defaultValue = "0",
      description = "Tokens in the context before a test, untimed (default: ${DEFAULT-VALUE}).")
  private int depth;

  @Option(
      names = "--sessions",
      paramLabel = "N",
      defaultValue = "0",
      description = {
        "Then also let so many sessions generate together, each with its own -d tokens before, and",
        "say what their states take (default: ${DEFAULT-VALUE})."
      })
  private int sessions;

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

  @Option(
      names = "--profile",
      description = {
        "Then run each test again and print where the calling thread's time goes, by samples of",
        "Flight Recorder."
      })
  private boolean profile;

  @Override
  public Integer call() {
    if (profile && output == Output.json) {
      throw new ParameterException(
          command.commandLine(), "--profile prints a table; choose -o table or -o md");
    }
    if (prompt < 0
        || generate < 0
        || depth < 0
        || repetitions < 1
        || warmUp < 0
        || sessions < 0
        || (sessions > 0 && generate == 0)
        || prompt + (long) generate == 0) {
      throw new ParameterException(
          command.commandLine(),
          String.format(
              Locale.ROOT,
              "-p %d -n %d -d %d -r %d -w %d --sessions %d measures nothing; needed: -p or -n above"
                  + " 0, -n above 0 for sessions, -r of 1 or more, nothing below 0",
              prompt,
              generate,
              depth,
              repetitions,
              warmUp,
              sessions));
    }
    ModelOptions options = attention.over(cache.over(opening.options()));
    long start = System.nanoTime();
    try (Model model = choice.open(options)) {
      double loadSeconds = (System.nanoTime() - start) / 1e9;
      // What is too long for the model is refused before anything is measured.
      choice.session(model, limit(Math.max(prompt, generate))).close();
      List<Speed> speeds = new ArrayList<>();
      Map<String, Profile> profiles = new LinkedHashMap<>();
      if (prompt > 0) {
        speeds.add(measure(model, "pp", prompt, prompt, profiles));
      }
      if (generate > 0) {
        speeds.add(measure(model, "tg", generate, 1, profiles));
      }
      OptionalLong stateBytes = OptionalLong.empty();
      if (sessions > 0) {
        try (var together = new BenchSessions(model, sessions, generate, depth, repetitions)) {
          speeds.add(new Speed(together.test(), together.measure()));
          stateBytes = OptionalLong.of(together.stateBytes());
        }
      }
      print(model, options, speeds, loadSeconds, stateBytes);
      if (profile) {
        print(profiles);
      }
    }
    return Failures.OK;
  }

  /** The length of a session with a test of so many tokens. */
  private int limit(int tokens) {
    return (int) Math.min(Integer.MAX_VALUE, depth + (long) tokens);
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

  private void print(Map<String, Profile> profiles) {
    List<String> heading = new ArrayList<>(List.of("share of time"));
    heading.addAll(profiles.keySet());
    Table table = new Table(heading.toArray(String[]::new));
    for (String kind : Profile.kinds()) {
      List<String> row = new ArrayList<>(List.of(kind));
      for (Profile of : profiles.values()) {
        row.add(String.format(Locale.ROOT, "%.1f %%", 100 * of.shares().get(kind)));
      }
      table.add(row.toArray(String[]::new));
    }
    List<String> samples = new ArrayList<>(List.of("samples"));
    profiles.values().forEach(of -> samples.add(String.valueOf(of.samples())));
    table.add(samples.toArray(String[]::new));
    PrintWriter out = command.commandLine().getOut();
    out.println();
    if (output == Output.md) {
      table.printMarkdown(out);
    } else {
      table.print(out);
    }
  }

  /**
   * Runs one test in one session, which goes back to the beginning of the test for each run: only
   * the first one, which counts as warm-up, touches memory that is new to the process.
   */
  private Speed measure(
      Model model, String kind, int tokens, int atOnce, Map<String, Profile> profiles) {
    SplittableRandom random = new SplittableRandom(1);
    try (Session session = model.newSession(limit(tokens))) {
      if (depth > 0) {
        run(session, depth, depth, random);
      }
      try (Session.SessionMark beginning = session.mark()) {
        long warm = 0;
        do {
          warm += run(session, tokens, atOnce, random);
          beginning.rewind();
        } while (warm < warmUp * 1_000_000_000L);
        List<Double> runs = new ArrayList<>();
        for (int i = 0; i < repetitions; i++) {
          runs.add(tokens * 1e9 / run(session, tokens, atOnce, random));
          beginning.rewind();
        }
        String test = kind + tokens + (depth == 0 ? "" : " @ d" + depth);
        if (profile) {
          profiles.put(
              test,
              Profile.of(
                  () -> {
                    long profiled = 0;
                    for (int i = 0; i < repetitions || profiled < warmUp * 1_000_000_000L; i++) {
                      profiled += run(session, tokens, atOnce, random);
                      beginning.rewind();
                    }
                  }));
        }
        return new Speed(test, List.copyOf(runs));
      }
    }
  }

  /** Nanoseconds for so many more tokens. */
  private static long run(Session session, int tokens, int atOnce, SplittableRandom random) {
    int[] ids = random.ints(tokens, 0, session.model().architecture().vocabulary()).toArray();
    long start = System.nanoTime();
    for (int at = 0; at < tokens; at += atOnce) {
      session.append(Arrays.copyOfRange(ids, at, at + atOnce));
      session.logits();
    }
    return System.nanoTime() - start;
  }

  private void print(
      Model model,
      ModelOptions options,
      List<Speed> speeds,
      double loadSeconds,
      OptionalLong stateBytes) {
    PrintWriter out = command.commandLine().getOut();
    KernelReport report = Kernels.report();
    if (output == Output.json) {
      out.println(json(model, options, speeds, loadSeconds, stateBytes));
      return;
    }
    Table table =
        new Table("model", "size", "parameters", "kernels", "threads", "cache", "test", "tokens/s");
    for (Speed speed : speeds) {
      table.add(
          choice.name(),
          Units.bytes(model.weightBytes()),
          Units.count(model.parameters()),
          options.kernels().name(),
          String.valueOf(options.threads()),
          keeping(options),
          speed.test,
          Units.rate(speed.mean()) + " ± " + Units.rate(speed.deviation()));
    }
    if (output == Output.md) {
      table.printMarkdown(out);
    } else {
      table.print(out);
    }
    out.println();
    out.println(
        String.format(Locale.ROOT, "loaded in %.2f s", loadSeconds)
            + peakBytes().map(bytes -> "; peak memory " + Units.bytes(bytes)).orElse("")
            + Opening.experts(model));
    if (stateBytes.isPresent()) {
      out.println(sessions + " sessions hold " + Units.bytes(stateBytes.getAsLong()));
    }
    out.println(report.jdk());
  }

  /** How keys are kept, and which of them are visited if not all. */
  private static String keeping(ModelOptions options) {
    String format = options.cache().name();
    return options.attention().isFull() ? format : format + ", " + options.attention();
  }

  /** The most memory that this process had at once, where the system says so. */
  private static Optional<Long> peakBytes() {
    try (Stream<String> lines = Files.lines(Path.of("/proc/self/status"))) {
      return lines
          .filter(line -> line.startsWith("VmHWM:"))
          .map(line -> Long.parseLong(line.replaceAll("\\D", "")) << 10)
          .findFirst();
    } catch (IOException e) {
      return Optional.empty();
    }
  }

  private String json(
      Model model,
      ModelOptions options,
      List<Speed> speeds,
      double loadSeconds,
      OptionalLong stateBytes) {
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
          "version" : %s,
          "model" : %s,
          "family" : %s,
          "weightBytes" : %d,
          "parameters" : %d,
          "kernels" : %s,
          "threads" : %d,
          "cache" : %s,
          "attention" : %s,
          "jdk" : %s,
          "loadSeconds" : %.3f,
          "peakBytes" : %s,
          "sessions" : %d,
          "stateBytes" : %s,
          "tests" : [
        %s
          ]
        }\
        """,
        quoted(Version.ofBuild()),
        quoted(choice.name()),
        quoted(model.architecture().family()),
        model.weightBytes(),
        model.parameters(),
        quoted(options.kernels().name()),
        options.threads(),
        quoted(options.cache().name()),
        quoted(options.attention().toString()),
        quoted(Kernels.report().jdk()),
        loadSeconds,
        peakBytes().map(String::valueOf).orElse("null"),
        sessions,
        stateBytes.isPresent() ? String.valueOf(stateBytes.getAsLong()) : "null",
        tests);
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"") + '"';
  }
}
