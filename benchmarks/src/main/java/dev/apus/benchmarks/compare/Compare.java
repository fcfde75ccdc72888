package dev.apus.benchmarks.compare;

import dev.apus.benchmarks.Ceilings;
import dev.apus.benchmarks.compare.Engine.Measured;
import dev.apus.benchmarks.report.Machine;
import dev.apus.benchmarks.report.Page;
import java.io.IOException;
import java.io.PrintWriter;
import java.nio.file.Path;
import java.time.LocalTime;
import java.time.temporal.ChronoUnit;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.Function;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code benchmarks/compare}. */
@Command(
    name = "compare",
    description = {
      "Measures Apus and other engines that are installed here on the same models, by turns.",
      "pp512 reads a prompt of 512 tokens at once; tg48 computes 48 tokens one at a time. Both"
          + " begin with an empty context, or after -d tokens.",
      "An engine is given as [NAME=]PATH, or as \"[NAME=]PATH OPTION…\" with options of its own."
    },
    mixinStandardHelpOptions = true,
    usageHelpAutoWidth = true,
    footerHeading = "%nExamples:%n",
    footer = {
      "  benchmarks/compare -m model-q8_0.gguf -m model-q4_0.gguf -t 8 \\",
      "    --llama-bench /opt/llama.cpp/bin/llama-bench --node-llama-cpp ~/app/node_modules",
      "  benchmarks/compare -m model.gguf --llama-bench \"flash=/opt/bin/llama-bench -fa 1\""
    })
public final class Compare implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Option(
      names = {"-m", "--model"},
      required = true,
      paramLabel = "FILE",
      description = "A GGUF file or a folder, as the engines read it; may be repeated.")
  private List<Path> models;

  @Option(
      names = {"-p", "--prompt"},
      defaultValue = "512",
      description = "Tokens of the prompt; 0 leaves the test out (default: ${DEFAULT-VALUE}).")
  private int prompt;

  @Option(
      names = {"-n", "--generate"},
      defaultValue = "48",
      description = "Tokens to generate; 0 leaves the test out (default: ${DEFAULT-VALUE}).")
  private int generate;

  @Option(
      names = {"-d", "--depth"},
      defaultValue = "0",
      description = "Tokens in the context before a test (default: ${DEFAULT-VALUE}).")
  private int depth;

  @Option(
      names = {"-t", "--threads"},
      description = "Threads of every engine; as many as processors, if absent.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = {"-r", "--repetitions"},
      defaultValue = "3",
      description = "Runs of each test in a process (default: ${DEFAULT-VALUE}).")
  private int repetitions;

  @Option(
      names = "--rounds",
      defaultValue = "3",
      description = "Processes of each engine for each model (default: ${DEFAULT-VALUE}).")
  private int rounds;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      defaultValue = "compare.md",
      description = {
        "The page of Markdown to write, with charts beside it (default: ${DEFAULT-VALUE}).",
        "In a page that exists, what stands between <!-- compare: begin --> and <!-- compare: end"
            + " --> is replaced."
      })
  private Path output;

  @Option(
      names = "--ceiling-mebibytes",
      defaultValue = "1024",
      description = {
        "Memory that is read to measure the bandwidth; more than the caches hold several times"
            + " (default: ${DEFAULT-VALUE})."
      })
  private int ceilingMebibytes;

  @Option(
      names = "--ceiling-millis",
      defaultValue = "700",
      description = "How long each ceiling is measured, each time (default: ${DEFAULT-VALUE}).")
  private int ceilingMillis;

  @Option(
      names = "--apus",
      required = true,
      paramLabel = "ENGINE",
      description = "A launcher of Apus; the first one is what the others are compared with.")
  private List<String> apus;

  @Option(
      names = "--llama-bench",
      paramLabel = "ENGINE",
      description = "The llama-bench of llama.cpp or of a descendant; may be repeated.")
  private List<String> llamaBench = List.of();

  @Option(
      names = "--node-llama-cpp",
      paramLabel = "ENGINE",
      description = {
        "A folder node_modules that holds node-llama-cpp; may be repeated.",
        "Its options are model.NAME=VALUE and context.NAME=VALUE."
      })
  private List<String> nodeLlamaCpp = List.of();

  @Option(
      names = "--llama3-java",
      paramLabel = "ENGINE",
      description = "The jar of llama3.java; may be repeated.")
  private List<String> llama3Java = List.of();

  @Option(
      names = "--transformers",
      paramLabel = "ENGINE",
      description = {
        "A Python that has transformers, for models that are folders; may be repeated.",
        "Its options are dtype=NAME and without=MODULE, for modules that are to look absent."
      })
  private List<String> transformers = List.of();

  private final List<Engine> engines = new ArrayList<>();
  private final Map<String, String> absent = new LinkedHashMap<>();

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Compare()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException, InterruptedException {
    Tests tests = tests();
    add("Apus", "--apus", apus, ApusEngine::new);
    add("llama.cpp", "--llama-bench", llamaBench, LlamaBench::new);
    add("node-llama-cpp", "--node-llama-cpp", nodeLlamaCpp, NodeLlamaCpp::new);
    add("llama3.java", "--llama3-java", llama3Java, Llama3Java::new);
    add("transformers", "--transformers", transformers, Transformers::new);
    if (engines.isEmpty() || !(engines.getFirst() instanceof ApusEngine)) {
      throw new ParameterException(command.commandLine(), "Apus: " + absent.get("Apus"));
    }
    Page page = new Page(output, "compare");
    Results results = new Results();
    Report report = null;
    List<Ceilings> ceilings = new ArrayList<>(List.of(ceilings()));
    for (int round = 1; round <= rounds; round++) {
      measure(round, tests, results);
      ceilings.add(ceilings());
      report = new Report(Machine.here(), tests, models, engines, absent, round, ceilings, results);
      // A run that is cut short leaves the rounds that it has completed.
      page.write(report.markdown(), report.charts());
    }
    PrintWriter out = command.commandLine().getOut();
    out.println(report.markdown());
    out.flush();
    return results.hasFailures() ? 1 : 0;
  }

  private Tests tests() {
    if (rounds < 1 || ceilingMebibytes < 1 || ceilingMillis < 1) {
      throw new ParameterException(
          command.commandLine(),
          "--rounds, --ceiling-mebibytes and --ceiling-millis have to be 1 at least");
    }
    try {
      return new Tests(prompt, generate, depth, threads, repetitions);
    } catch (IllegalArgumentException e) {
      throw new ParameterException(command.commandLine(), e.getMessage(), e);
    }
  }

  private void add(
      String kind, String option, List<String> given, Function<Installed, Engine> engine) {
    if (given.isEmpty()) {
      absent.put(kind, "not given (" + option + ")");
    }
    for (String one : given) {
      Engine made = engine.apply(Installed.parse(one, kind));
      if (made.obstacle() != null) {
        absent.put(made.name(), "not installed: " + made.obstacle());
      } else if (engines.stream().anyMatch(other -> other.name().equals(made.name()))) {
        throw new ParameterException(
            command.commandLine(),
            "two engines are called " + made.name() + "; give one a name: NAME=" + one);
      } else {
        engines.add(made);
      }
    }
  }

  /** The ceilings at this moment, measured in a process of their own like everything else. */
  private Ceilings ceilings() throws IOException, InterruptedException {
    Child child =
        Child.run(
            List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-cp",
                System.getProperty("java.class.path"),
                Ceilings.class.getName(),
                String.valueOf(threads),
                String.valueOf((long) ceilingMebibytes << 20),
                String.valueOf(ceilingMillis)));
    String[] numbers = child.out().strip().split(" ");
    Ceilings measured =
        new Ceilings(threads, Double.parseDouble(numbers[0]), Double.parseDouble(numbers[1]));
    note(measured.toString());
    return measured;
  }

  /** One process of each engine for each model; another engine is first in each round. */
  private void measure(int round, Tests tests, Results results) throws InterruptedException {
    for (Path model : models) {
      for (int i = 0; i < engines.size(); i++) {
        Engine engine = engines.get((i + round - 1) % engines.size());
        if (results.failure(engine, model) == null) {
          String what = "round " + round + ", " + Report.name(model) + ", " + engine.name() + ": ";
          try {
            Measured measured = engine.measure(model.toAbsolutePath(), tests);
            results.add(engine, model, measured);
            note(what + measured.tokensPerSecond());
          } catch (IOException e) {
            results.fail(engine, model, e.getMessage());
            note(what + "failed: " + e.getMessage());
          }
        }
      }
    }
  }

  private void note(String line) {
    PrintWriter err = command.commandLine().getErr();
    err.println(LocalTime.now().truncatedTo(ChronoUnit.SECONDS) + " " + line);
    err.flush();
  }
}
