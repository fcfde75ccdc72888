package dev.apus.benchmarks.context;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.benchmarks.chart.Xml;
import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.kernels.Kernels;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

class ContextTest {

  @TempDir private Path folder;

  private int run(String... options) {
    CommandLine command = Context.commandLine();
    command.setOut(new PrintWriter(new StringWriter()));
    command.setErr(new PrintWriter(new StringWriter()));
    Stream<String> common = Stream.of("-t", "1", "--millis", "1");
    Stream<String> page = Stream.of("-o", folder.resolve("page.md").toString());
    return command.execute(
        Stream.of(common, page, Stream.of(options)).flatMap(s -> s).toArray(String[]::new));
  }

  @ParameterizedTest
  @EnumSource
  void writesARowForEachContextAndBothCharts(Comparison comparison) throws Exception {
    String name = comparison.name().toLowerCase(Locale.ROOT);
    assertEquals(0, run("--shortest", "16", "--longest", "70", "--compare", name));
    List<String> rows =
        Files.readAllLines(folder.resolve("page.md")).stream()
            .filter(line -> line.matches("\\| \\d+ \\|.*"))
            .toList();
    assertEquals(
        List.of("16", "32", "64"), rows.stream().map(row -> row.split("\\|")[1].strip()).toList());
    String all = Files.readString(folder.resolve("page.md"));
    assertEquals(comparison.prompts(), all.contains(comparison.section() + "-prompt.svg"));
    for (String chart : charts(comparison)) {
      String svg = Files.readString(folder.resolve("charts").resolve(comparison.section() + chart));
      assertEquals(
          comparison.kinds().size(), Xml.parse(svg).getElementsByTagName("polyline").getLength());
    }
  }

  private static List<String> charts(Comparison comparison) {
    return comparison.prompts()
        ? List.of("-time.svg", "-prompt.svg", "-state.svg")
        : List.of("-time.svg", "-state.svg");
  }

  @Test
  void refusesContextsThatShrink() {
    assertEquals(2, run("--shortest", "32", "--longest", "16"));
  }

  /** What the chart is about: attention remembers every token, a recurrence one sum of them. */
  @Test
  void statesGrowAsTheirKindSays() {
    long[] full = bytesAfter(LayerKind.FULL);
    long[] window = bytesAfter(LayerKind.WINDOW);
    long[] delta = bytesAfter(LayerKind.DELTA);
    assertTrue(full[1] > 1.5 * full[0], full[0] + " to " + full[1]);
    assertEquals(window[0], window[1]);
    assertEquals(delta[0], delta[1]);
  }

  private static long[] bytesAfter(LayerKind kind) {
    try (Workers workers = Workers.of(1);
        Layer layer = new Layer(kind, 8192, new Pass(workers, Kernels.chosen()))) {
      layer.advance(4096);
      long before = layer.stateBytes();
      layer.advance(8192);
      return new long[] {before, layer.stateBytes()};
    }
  }
}
