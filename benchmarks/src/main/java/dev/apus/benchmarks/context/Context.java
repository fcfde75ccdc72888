package dev.apus.benchmarks.context;

import dev.apus.benchmarks.chart.LineChart;
import dev.apus.benchmarks.chart.LineChart.Scale;
import dev.apus.benchmarks.chart.LineChart.Series;
import dev.apus.benchmarks.chart.LineChart.Value;
import dev.apus.benchmarks.report.Machine;
import dev.apus.benchmarks.report.MarkdownTable;
import dev.apus.benchmarks.report.Page;
import dev.apus.core.ModelOptions;
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

  /** What one layer costs after a context of some length. */
  private record Cost(int context, double nanos, long stateBytes) {}

  @Spec private CommandSpec command;

  @Option(
      names = "--compare",
      paramLabel = "WHAT",
      defaultValue = "memories",
      description = {
        "memories: full attention, attention in a window, Gated DeltaNet, Mamba-2, and a hybrid; or"
            + " rules: full attention beside linear attention, its gated kin, and what learns at"
            + " test time (default: ${DEFAULT-VALUE})."
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
            + " --> is replaced, or rules instead of context."
      })
  private Path output;

  public static void main(String[] arguments) {
    // What a model says of itself when it is opened is in the report.
    System.setProperty("org.slf4j.simpleLogger.defaultLogLevel", "error");
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
    ModelOptions options = ModelOptions.standard().withThreads(threads);
    List<Layer> layers =
        comparison.kinds().stream()
            .map(kind -> new Layer(kind, longest + Layer.ROOM, options))
            .toList();
    try {
      layers.forEach(layer -> layer.advance(shortest));
      layers.forEach(layer -> layer.warmUp(10L * millis * 1_000_000L));
      for (int context = shortest; context <= longest; context *= 2) {
        for (Layer layer : layers) {
          layer.advance(context);
        }
        measure(layers, context, costs);
      }
    } finally {
      layers.forEach(Layer::close);
    }
    String markdown = markdown(costs, options);
    page.write(markdown, charts(costs));
    command.commandLine().getOut().println(markdown);
    command.commandLine().getOut().flush();
    return 0;
  }

  /** Takes turns, so that what else the machine does is no layer's disadvantage. */
  private void measure(List<Layer> layers, int context, Map<LayerKind, List<Cost>> costs) {
    int turns = 3;
    for (int turn = 0; turn < turns; turn++) {
      layers.forEach(layer -> layer.measure(millis * 1_000_000L / turns));
    }
    for (Layer layer : layers) {
      Cost cost = new Cost(context, layer.medianNanos(), layer.stateBytes());
      costs.computeIfAbsent(layer.kind(), kind -> new ArrayList<>()).add(cost);
      String line =
          String.format(
              Locale.ROOT,
              "%s after %d: %s, %s",
              layer.kind().title(),
              context,
              time(cost.nanos),
              bytes(cost.stateBytes));
      command.commandLine().getErr().println(line);
      command.commandLine().getErr().flush();
    }
  }

  private String markdown(Map<LayerKind, List<Cost>> costs, ModelOptions options) {
    List<String> heading = new ArrayList<>(List.of("context"));
    for (LayerKind kind : costs.keySet()) {
      heading.add(kind.title() + ", time");
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
        cells.add(bytes(cost.stateBytes));
      }
      table.add(cells);
    }
    return String.format(
        Locale.ROOT,
        "%s %s kernels, %d threads; %s. The time is the median of one token after the"
            + " context.%n%n%s%n%s%n%s",
        comparison.sizes(),
        options.kernels().name(),
        threads,
        Machine.here(),
        table,
        Page.link("time of one token against context", comparison.section() + "-time.svg"),
        Page.link("bytes of state against context", comparison.section() + "-state.svg"));
  }

  private Map<String, String> charts(Map<LayerKind, List<Cost>> costs) {
    Map<String, String> charts = new LinkedHashMap<>();
    charts.put(
        comparison.section() + "-time.svg",
        chart(
            "Time of one token in one layer",
            new Scale("time", 10, Context::time),
            costs,
            Cost::nanos));
    charts.put(
        comparison.section() + "-state.svg",
        chart(
            "State of one layer", new Scale("memory", 4, Context::bytes), costs, Cost::stateBytes));
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
