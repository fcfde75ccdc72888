package dev.apus.benchmarks.approximation;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.benchmarks.chart.Xml;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import picocli.CommandLine;

class ApproximationTest {

  @TempDir private Path folder;

  private int run(String... options) {
    CommandLine command = new CommandLine(new Approximation());
    command.setOut(new PrintWriter(new StringWriter()));
    command.setErr(new PrintWriter(new StringWriter()));
    return command.execute(options);
  }

  @Test
  void writesARowForEachNumberOfFeaturesAndTheChart() throws Exception {
    String page = folder.resolve("page.md").toString();
    assertEquals(0, run("--fewest", "4", "--most", "9", "--seeds", "1", "-o", page));
    List<String> rows =
        Files.readAllLines(Path.of(page)).stream()
            .filter(line -> line.matches("\\| \\d+ \\|.*"))
            .map(line -> line.split("\\|")[1].strip())
            .toList();
    assertEquals(List.of("4", "8"), rows);
    String svg = Files.readString(folder.resolve("charts/approximation.svg"));
    assertEquals(
        Estimate.values().length, Xml.parse(svg).getElementsByTagName("polyline").getLength());
  }

  @Test
  void refusesFeaturesThatShrink() {
    assertEquals(2, run("--fewest", "32", "--most", "16"));
  }

  /** The error of a mean of n falls as one over the root of n, and so by four for sixteen times. */
  @ParameterizedTest
  @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "PERFORMER_SHARP")
  void sixteenTimesTheFeaturesAreFourTimesAsNear(Estimate estimate) {
    try (Layers one = new Layers(1);
        Layers two = new Layers(2)) {
      double few = one.error(estimate, 32, 4);
      double many = one.error(estimate, 512, 4);
      assertEquals(few, two.error(estimate, 32, 4), "threads must not show");
      assertTrue(many < few / 2.5 && many > few / 12, few + " to " + many);
    }
  }
}
