package dev.apus.benchmarks.approximation;

import dev.apus.benchmarks.chart.LineChart;
import dev.apus.benchmarks.chart.LineChart.Scale;
import dev.apus.benchmarks.chart.LineChart.Series;
import dev.apus.benchmarks.chart.LineChart.Value;
import dev.apus.benchmarks.report.MarkdownTable;
import dev.apus.benchmarks.report.Page;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.concurrent.Callable;
import picocli.CommandLine;
import picocli.CommandLine.Command;
import picocli.CommandLine.Model.CommandSpec;
import picocli.CommandLine.Option;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.Spec;

/** The command {@code benchmarks/approximation}. */
@Command(
    name = "approximation",
    description = {
      "Measures how far linear attention with random features is from the softmax attention that it"
          + " estimates, for more and more features. The numbers are the same on every machine."
    },
    mixinStandardHelpOptions = true,
    usageHelpAutoWidth = true)
public final class Approximation implements Callable<Integer> {

  @Spec private CommandSpec command;

  @Option(
      names = "--fewest",
      defaultValue = "16",
      description = "The first number of features; each is twice the one before.")
  private int fewest;

  @Option(
      names = "--most",
      defaultValue = "1024",
      description = "There are no more features (default: ${DEFAULT-VALUE}).")
  private int most;

  @Option(
      names = "--seeds",
      defaultValue = "8",
      description = "Draws of random directions (default: ${DEFAULT-VALUE}).")
  private int seeds;

  @Option(
      names = {"-o", "--output"},
      paramLabel = "FILE",
      defaultValue = "approximation.md",
      description = {
        "The page of Markdown to write, with a chart beside it (default: ${DEFAULT-VALUE}).",
        "In a page that exists, what stands between <!-- approximation: begin --> and"
            + " <!-- approximation: end --> is replaced."
      })
  private Path output;

  public static void main(String[] arguments) {
    System.exit(new CommandLine(new Approximation()).execute(arguments));
  }

  @Override
  public Integer call() throws IOException {
    if (fewest < 2 || fewest % 2 != 0 || most < fewest || most > 1 << 16 || seeds < 1) {
      throw new ParameterException(
          command.commandLine(),
          String.format(
              Locale.ROOT,
              "--fewest %d --most %d --seeds %d; needed: fewest even, 2 ≤ fewest ≤ most ≤ 65536,"
                  + " seeds above 0",
              fewest,
              most,
              seeds));
    }
    Page page = new Page(output, "approximation");
    Map<Estimate, List<Value>> errors = new EnumMap<>(Estimate.class);
    try (Layers layers = new Layers(Runtime.getRuntime().availableProcessors())) {
      for (Estimate estimate : Estimate.values()) {
        List<Value> values = new ArrayList<>();
        for (int features = fewest; features <= most; features *= 2) {
          values.add(new Value(features, layers.error(estimate, features, seeds)));
        }
        errors.put(estimate, values);
      }
    }
    String markdown = markdown(errors);
    page.write(markdown, Map.of("approximation.svg", chart(errors)));
    command.commandLine().getOut().println(markdown);
    command.commandLine().getOut().flush();
    return 0;
  }

  private String markdown(Map<Estimate, List<Value>> errors) {
    List<String> heading = new ArrayList<>(List.of("features"));
    errors.keySet().forEach(estimate -> heading.add(estimate.title()));
    MarkdownTable table = new MarkdownTable(heading);
    for (int row = 0; row < errors.get(Estimate.PERFORMER).size(); row++) {
      int at = row;
      List<String> cells = new ArrayList<>();
      cells.add(features(errors.get(Estimate.PERFORMER).get(row).x()));
      errors.values().forEach(column -> cells.add(error(column.get(at).y())));
      table.add(cells);
    }
    return String.format(
        Locale.ROOT,
        "One layer with %d heads of %d and random weights reads %d random tokens. The error is the"
            + " length of the difference to softmax attention over the length of its output, the"
            + " root of the mean square of %d draws. Scores are divided by the number d of a head's"
            + " values, so that queries and keys are about 1 long, and exactly for RFA; the last"
            + " column divides by √d, as models do.%n%n%s%n%s",
        Layers.HEADS,
        Layers.HEAD_DIM,
        Layers.TOKENS,
        seeds,
        table,
        Page.link("error of random features against their number", "approximation.svg"));
  }

  private static String chart(Map<Estimate, List<Value>> errors) {
    List<Series> series = new ArrayList<>();
    errors.forEach((estimate, values) -> series.add(new Series(estimate.title(), values)));
    return new LineChart(
            "Error of random features",
            new Scale("features", 2, Approximation::features),
            new Scale("relative error", 2, Approximation::error),
            series)
        .draw();
  }

  private static String features(double count) {
    return String.format(Locale.ROOT, "%.0f", count);
  }

  private static String error(double error) {
    return String.format(Locale.ROOT, "%.3f", error);
  }
}
