package dev.apus.benchmarks.context;

import dev.apus.benchmarks.chart.LineChart;
import dev.apus.benchmarks.chart.LineChart.Scale;
import dev.apus.benchmarks.chart.LineChart.Series;
import dev.apus.benchmarks.chart.LineChart.Value;
import dev.apus.benchmarks.report.Machine;
import dev.apus.benchmarks.report.MarkdownTable;
import dev.apus.benchmarks.report.Page;
import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.kernels.Kernels;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import java.util.function.ToDoubleFunction;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code benchmarks/context}. */
@Command(
    name = "context",
    description = {
      "Measures what one token costs after contexts of growing length: the time of one layer and"
          + " the memory of its state."
    },
    mixinStandardHelpOptions = true,
    usageHelpAutoWidth = true)
public final class Context implements Callable<Integer> {

  /**
   * What one layer costs after a context of some length.
   *
   * @param rowNanos of each token in a block of a prompt; 0 if none was measured
   */
  private record Cost(int context, double nanos, double rowNanos, long stateBytes) {}

  @Spec private CommandSpec command;

  @Option(
      names = "--compare",
      paramLabel = "WHAT",
      defaultValue = "memories",
      description = {
        "memories: full attention, attention in a window, Gated DeltaNet, Mamba-2, and a hybrid;"
            + " rules: full attention beside linear attention, its gated kin, and what learns at"
            + " test time; or attention: full attention, a window, Quest, MoBA, NSA, and MLA, with"
            + " prompts, too (default: ${DEFAULT-VALUE})."
      })
  private Comparison comparison;

  @Option(
      names = "--shortest",
      defaultValue = "1024",
      description = "The first context; each is twice the one before (default: ${DEFAULT-VALUE}).")
  private int shortest;

  @Option(
      names = "--longest",
      defaultValue = "131072",
      description = "No context is longer (default: ${DEFAULT-VALUE}).")
  private int longest;

  @Option(
      names = {"-t", "--threads"},
      description = "Threads that compute; as many as processors, if absent.")
  private int threads = Runtime.getRuntime().availableProcessors();

  @Option(
      names = "--millis",
      defaultValue = "300",
      description = {
        "How long each layer is measured after each context, in three turns; it warms up ten times"
            + " as long, once (default: ${DEFAULT-VALUE})."
      })
  private int millis;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      defaultValue = "context.md",
      description = {
        "The page of Markdown to write, with charts beside it (default: ${DEFAULT-VALUE}).",
        "In a page that exists, what stands between <!-- context: begin --> and <!-- context: end"
            + " --> is replaced, or rules or attention instead of context."
      })
  private Path output;

  public static void main(String[] arguments) {
    System.exit(commandLine().execute(arguments));
  }

  static CommandLine commandLine() {
    return new CommandLine(new Context()).setCaseInsensitiveEnumValuesAllowed(true);
  }

  @Override
  public Integer call() throws IOException {
    if (shortest < 1 || longest < shortest || longest > 1 << 24 || millis < 1) {
      throw new ParameterException(
          command.commandLine(),
          String.format(
              Locale.ROOT,
              "--shortest %d --longest %d --millis %d; needed: 1 ≤ shortest ≤ longest ≤ 2^24,"
                  + " millis above 0",
              shortest,
              longest,
              millis));
    }
    Page page = new Page(output, comparison.section());
    Map<LayerKind, List<Cost>> costs = new LinkedHashMap<>();
    Kernels kernels = Kernels.chosen();
    try (Workers workers = Workers.of(threads)) {
      measure(new Pass(workers, kernels), costs);
    }
    String markdown = markdown(costs, kernels);
    page.write(markdown, charts(costs));
    command.commandLine().getOut().println(markdown);
    command.commandLine().getOut().flush();
    return 0;
  }

  private void measure(Pass pass, Map<LayerKind, List<Cost>> costs) {
    List<Layer> layers =
        comparison.kinds().stream().map(kind -> new Layer(kind, longest, pass)).toList();
    try {
      layers.forEach(layer -> layer.advance(shortest));
      layers.forEach(layer -> layer.warmUp(10L * millis * 1_000_000L, comparison.prompts()));
      for (int context = shortest; context <= longest; context *= 2) {
        for (Layer layer : layers) {
          layer.advance(context);
        }
        measure(layers, context, costs);
      }
    } finally {
      layers.forEach(Layer::close);
    }
  }

  /** Takes turns, so that what else the machine does is no layer's disadvantage. */
  private void measure(List<Layer> layers, int context, Map<LayerKind, List<Cost>> costs) {
    int turns = 3;
    long nanos = millis * 1_000_000L / turns;
    boolean prompts = comparison.prompts();
    for (int turn = 0; turn < turns; turn++) {
      layers.forEach(layer -> layer.measureTokens(nanos));
      if (prompts) {
        layers.forEach(layer -> layer.measureBlocks(nanos));
      }
    }
    for (Layer layer : layers) {
      double rowNanos = prompts ? layer.blockRowNanos() : 0;
      Cost cost = new Cost(context, layer.tokenNanos(), rowNanos, layer.stateBytes());
      costs.computeIfAbsent(layer.kind(), kind -> new ArrayList<>()).add(cost);
      String line =
          String.format(
              Locale.ROOT,
              "%s after %d: %s%s, %s",
              layer.kind().title(),
              context,
              time(cost.nanos),
              prompts ? ", in a prompt " + time(cost.rowNanos) : "",
              bytes(cost.stateBytes));
      command.commandLine().getErr().println(line);
      command.commandLine().getErr().flush();
    }
  }

  private String markdown(Map<LayerKind, List<Cost>> costs, Kernels kernels) {
    List<String> heading = new ArrayList<>(List.of("context"));
    for (LayerKind kind : costs.keySet()) {
      heading.add(kind.title() + ", time");
      if (comparison.prompts()) {
        heading.add("in a prompt");
      }
      heading.add("state");
    }
    MarkdownTable table = new MarkdownTable(heading);
    int rows = costs.values().iterator().next().size();
    for (int row = 0; row < rows; row++) {
      List<String> cells = new ArrayList<>();
      for (List<Cost> column : costs.values()) {
        Cost cost = column.get(row);
        if (cells.isEmpty()) {
          cells.add(tokens(cost.context));
        }
        cells.add(time(cost.nanos));
        if (comparison.prompts()) {
          cells.add(time(cost.rowNanos));
        }
        cells.add(bytes(cost.stateBytes));
      }
      table.add(cells);
    }
    String what = "The time is the median of one token after the context";
    if (comparison.prompts()) {
      what += "; in a prompt, that of a block of " + Layer.BLOCK + ", for each of its tokens";
    }
    StringBuilder links = new StringBuilder();
    for (Picture picture : pictures()) {
      links.append('\n').append(Page.link(picture.alt, picture.file));
    }
    return String.format(
        Locale.ROOT,
        "%s %s kernels, %d threads; %s. %s.%n%n%s%s",
        comparison.sizes(),
        kernels.name(),
        threads,
        Machine.here(),
        what,
        table,
        links);
  }

  /** A chart of one part of the costs. */
  private record Picture(
      String file, String alt, String title, Scale upwards, ToDoubleFunction<Cost> part) {}

  private List<Picture> pictures() {
    String section = comparison.section();
    Scale time = new Scale("time", 10, Context::time);
    List<Picture> pictures = new ArrayList<>();
    pictures.add(
        new Picture(
            section + "-time.svg",
            "time of one token against context",
            "Time of one token in one layer",
            time,
            Cost::nanos));
    if (comparison.prompts()) {
      pictures.add(
          new Picture(
              section + "-prompt.svg",
              "time of a token in a prompt against context",
              "Time of a token in a block of " + Layer.BLOCK + ", in one layer",
              time,
              Cost::rowNanos));
    }
    pictures.add(
        new Picture(
            section + "-state.svg",
            "bytes of state against context",
            "State of one layer",
            new Scale("memory", 4, Context::bytes),
            Cost::stateBytes));
    return pictures;
  }

  private Map<String, String> charts(Map<LayerKind, List<Cost>> costs) {
    Map<String, String> charts = new LinkedHashMap<>();
    for (Picture picture : pictures()) {
      charts.put(picture.file, chart(picture.title, picture.upwards, costs, picture.part));
    }
    return charts;
  }

  private static String chart(
      String title, Scale upwards, Map<LayerKind, List<Cost>> costs, ToDoubleFunction<Cost> part) {
    List<Series> series = new ArrayList<>();
    costs.forEach(
        (kind, column) ->
            series.add(
                new Series(
                    kind.title(),
                    column.stream()
                        .map(cost -> new Value(cost.context, part.applyAsDouble(cost)))
                        .toList())));
    Scale across = new Scale("tokens of context", 2, Context::tokens);
    return new LineChart(title, across, upwards, series).draw();
  }

  private static String tokens(double count) {
    return scaled(count, 1024, "", " k", " M");
  }

  private static String bytes(double count) {
    return scaled(count, 1024, " B", " KiB", " MiB", " GiB", " TiB");
  }

  private static String time(double nanos) {
    return scaled(nanos, 1000, " ns", " µs", " ms", " s");
  }

  /** A number in the first unit that it has less than {@code step} of. */
  private static String scaled(double number, double step, String... units) {
    double value = number;
    int unit = 0;
    while (value >= step && unit < units.length - 1) {
      value /= step;
      unit++;
    }
    String digits = value < 10 && value % 1 != 0 ? "%.1f" : "%.0f";
    return String.format(Locale.ROOT, digits, value) + units[unit];
  }
}
