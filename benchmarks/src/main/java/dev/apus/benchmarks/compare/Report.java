package dev.apus.benchmarks.compare;

import static java.util.stream.Collectors.joining;

import dev.apus.benchmarks.Ceilings;
import dev.apus.benchmarks.chart.BarChart;
import dev.apus.benchmarks.chart.BarChart.Bar;
import dev.apus.benchmarks.chart.BarChart.Series;
import dev.apus.benchmarks.compare.Engine.Measured;
import dev.apus.benchmarks.compare.Results.Spread;
import dev.apus.benchmarks.report.Machine;
import dev.apus.benchmarks.report.MarkdownTable;
import dev.apus.benchmarks.report.Page;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.ToDoubleFunction;

/**
 * A comparison as Markdown and charts.
 *
 * @param engines that were tried; the first one is the measure of the others
 * @param absent engines that were not, each with the reason
 * @param rounds that are complete
 * @param ceilings as they were before the first round and after each
 */
record Report(
    Machine machine,
    Tests tests,
    List<Path> models,
    List<Engine> engines,
    Map<String, String> absent,
    int rounds,
    List<Ceilings> ceilings,
    Results results) {

  String markdown() {
    StringBuilder text = new StringBuilder();
    text.append(
        String.format(
            Locale.ROOT,
            "%s. Threads: %d. Rounds: %d; in each, every engine ran every model in a new process,"
                + " by turns, and every test so many times: %d. Speeds are the median of the rounds"
                + " (least–most), and how many times that of %s.%n%n",
            machine,
            tests.threads(),
            rounds,
            tests.repetitions(),
            engines.getFirst().name()));
    text.append(
        String.format(
            Locale.ROOT,
            "The ceilings of these threads, measured before the first round and after each"
                + " (least–most): %s GB/s read, %s GFLOP/s of fused multiply-adds in single"
                + " precision. Shares are of the highest.%n%n",
            range(Ceilings::bytesPerSecond),
            range(Ceilings::flopsPerSecond)));
    text.append(speeds()).append('\n').append(versions());
    for (String test : tests.names()) {
      text.append('\n').append(Page.link(test + ", tokens per second", chartName(test)));
    }
    return text.toString();
  }

  /** The lowest and the highest of what was measured, in billions. */
  private String range(ToDoubleFunction<Ceilings> part) {
    double[] values = ceilings.stream().mapToDouble(part).sorted().toArray();
    return number(values[0] / 1e9) + "–" + number(values[values.length - 1] / 1e9);
  }

  private String speeds() {
    List<String> heading = new ArrayList<>(List.of("model", "test"));
    engines.forEach(engine -> heading.add(engine.name()));
    MarkdownTable table = new MarkdownTable(heading);
    for (Path model : models) {
      for (String test : tests.names()) {
        row(table, model, test + ", tokens/s", engine -> speed(engine, model, test));
      }
      long read = ReadPerToken.of(model);
      if (read > 0 && tests.generate() > 0) {
        String what = "share of read bandwidth (" + gigabytes(read) + " a token)";
        row(table, model, what, engine -> share(engine, model, read));
      }
      row(table, model, "peak memory", engine -> memory(engine, model));
    }
    return table.toString();
  }

  /** What a cell says of an engine. */
  private interface Cell {
    String of(Engine engine);
  }

  private void row(MarkdownTable table, Path model, String what, Cell cell) {
    List<String> cells = new ArrayList<>(List.of(name(model), what));
    engines.forEach(engine -> cells.add(cell.of(engine)));
    table.add(cells);
  }

  static String name(Path model) {
    return model.getFileName().toString().replaceFirst("\\.gguf$", "");
  }

  private String speed(Engine engine, Path model, String test) {
    Spread speed = results.speed(engine, model, test);
    if (speed == null) {
      return results.failure(engine, model) == null ? "–" : "failed";
    }
    String text =
        number(speed.median()) + " (" + number(speed.least()) + "–" + number(speed.most()) + ")";
    Spread measure = results.speed(engines.getFirst(), model, test);
    return engine.equals(engines.getFirst()) || measure == null
        ? text
        : text + String.format(Locale.ROOT, ", %.2f×", speed.median() / measure.median());
  }

  private String share(Engine engine, Path model, long read) {
    Spread speed = results.speed(engine, model, tests.generationName());
    if (speed == null) {
      return "–";
    }
    double bandwidth = ceilings.stream().mapToDouble(Ceilings::bytesPerSecond).max().orElseThrow();
    return String.format(Locale.ROOT, "%.0f %%", 100 * speed.median() * read / bandwidth);
  }

  private String memory(Engine engine, Path model) {
    long bytes = results.peakBytes(engine, model);
    return bytes == 0 ? "–" : gigabytes(bytes);
  }

  private static String gigabytes(long bytes) {
    return String.format(Locale.ROOT, "%.2f GB", bytes / 1e9);
  }

  private static String number(double speed) {
    return String.format(Locale.ROOT, speed < 100 ? "%.1f" : "%.0f", speed);
  }

  private String versions() {
    MarkdownTable table = new MarkdownTable(List.of("engine", "version", "remarks"));
    for (Engine engine : engines) {
      List<Measured> runs = results.of(engine);
      String failures =
          models.stream()
              .filter(model -> results.failure(engine, model) != null)
              .map(model -> name(model) + " failed: " + results.failure(engine, model))
              .collect(joining("; "));
      String remarks = runs.stream().map(Measured::remark).distinct().collect(joining("; "));
      table.add(
          List.of(
              engine.name(),
              runs.stream().map(Measured::version).distinct().collect(joining("; ")),
              remarks.isEmpty() || failures.isEmpty()
                  ? remarks + failures
                  : remarks + "; " + failures));
    }
    absent.forEach((name, why) -> table.add(List.of(name, "not run", why)));
    return table.toString();
  }

  /** The charts, one for each test, by file name. */
  Map<String, String> charts() {
    Map<String, String> charts = new LinkedHashMap<>();
    for (String test : tests.names()) {
      charts.put(chartName(test), chart(test).draw());
    }
    return charts;
  }

  private static String chartName(String test) {
    return "compare-" + test.replaceAll("[^a-z0-9]+", "-") + ".svg";
  }

  private BarChart chart(String test) {
    List<Series> series =
        engines.stream()
            .map(
                engine -> {
                  List<Bar> bars = new ArrayList<>();
                  for (Path model : models) {
                    Spread speed = results.speed(engine, model, test);
                    bars.add(
                        speed == null
                            ? null
                            : new Bar(speed.median(), speed.least(), speed.most()));
                  }
                  return new Series(engine.name(), bars);
                })
            .toList();
    return new BarChart(
        test + " on " + tests.threads() + " threads",
        "tokens per second",
        models.stream().map(Report::name).toList(),
        series,
        Report::number);
  }
}
