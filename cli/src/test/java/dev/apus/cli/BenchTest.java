package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.config.Config;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class BenchTest {

  private static Cli bench(String output) {
    Cli run = Cli.run("bench", "-p", 9, "-n", 3, "-t", 1, "-r", 2, "-w", 0, "-o", output);
    assertEquals(0, run.exitCode(), run.err());
    return run;
  }

  @Test
  void printsATable() {
    List<String> lines = bench("table").out().lines().toList();
    assertTrue(
        lines.get(0).matches("model +size +parameters +kernels +threads +cache +test +tokens/s"),
        lines.get(0));
    String row = "fable +[0-9.]+ MB +7.6 M +\\S+ +1 +F32 +%s +[0-9.]+ ± [0-9.]+";
    assertTrue(lines.get(1).matches(row.formatted("pp9")), lines.get(1));
    assertTrue(lines.get(2).matches(row.formatted("tg3")), lines.get(2));
    assertTrue(lines.getLast().contains("VM"), lines.getLast());
    String loaded = lines.get(lines.size() - 2);
    assertTrue(loaded.matches("loaded in [0-9.]+ s(; peak memory [0-9.]+ [MG]B)?"), loaded);
  }

  @Test
  void measuresSessionsTogether() {
    Cli run =
        Cli.run("bench", "-p", 0, "-n", 2, "-d", 5, "-t", 1, "-r", 2, "-w", 0, "--sessions", 9);
    assertEquals(0, run.exitCode(), run.err());
    List<String> lines = run.out().lines().toList();
    assertTrue(lines.get(2).matches("fable .* tg2 @ d5 × 9 +[0-9.]+ ± [0-9.]+"), lines.get(2));
    String held = lines.get(lines.size() - 2);
    assertTrue(held.matches("9 sessions hold [0-9.]+ [MG]B"), held);
    assertEquals(2, Cli.run("bench", "-n", 0, "--sessions", 9).exitCode());
  }

  @Test
  void printsMarkdown() {
    List<String> lines = bench("md").out().lines().toList();
    assertTrue(lines.get(1).matches("\\| -+ (\\| -+ ){7}\\|"), lines.get(1));
    assertTrue(lines.get(2).matches("\\| fable \\|.*\\| pp9 +\\| .*\\|"), lines.get(2));
  }

  @Test
  void printsWhereTheTimeGoes() {
    Cli run =
        Cli.run("bench", "-p", 64, "-n", 0, "-t", 1, "-r", 1, "-w", 1, "-o", "table", "--profile");
    assertEquals(0, run.exitCode(), run.err());
    List<String> lines = run.out().lines().dropWhile(l -> !l.startsWith("share of time")).toList();
    assertTrue(lines.getFirst().matches("share of time +pp64"), run.out());
    String matmul = lines.stream().filter(l -> l.startsWith("matmul ")).findFirst().orElseThrow();
    double share = Double.parseDouble(matmul.replaceAll("[^0-9.]", ""));
    assertTrue(share > 10 && share <= 100, matmul);
    assertTrue(lines.getLast().matches("samples +[1-9][0-9]*"), lines.getLast());
  }

  @Test
  void aProfileIsNoJson() {
    Cli run = Cli.run("bench", "-o", "json", "--profile");
    assertEquals(2, run.exitCode());
    assertTrue(run.err().contains("--profile prints a table; choose -o table or -o md"), run.err());
  }

  @Test
  void printsJson() {
    Config json = Config.parse("out", bench("json").out().getBytes(StandardCharsets.UTF_8));
    assertEquals("fable", json.word("model"));
    assertEquals("qwen3_next", json.word("family"));
    assertEquals(7_640_352, json.integer("parameters"));
    assertEquals(1, json.positive("threads"));
    assertEquals("F32", json.word("cache"));
    assertEquals("full", json.word("attention"));
    assertTrue(json.number("loadSeconds") > 0);
    assertTrue(json.isNull("peakBytes") || json.number("peakBytes") > json.number("weightBytes"));
    assertTrue(json.has("version"));
    List<Config> tests = json.sections("tests");
    assertEquals("pp9", tests.get(0).word("test"));
    assertEquals("tg3", tests.get(1).word("test"));
    for (Config test : tests) {
      List<Double> runs = test.numbers("runs");
      assertEquals(2, runs.size());
      double mean = (runs.get(0) + runs.get(1)) / 2;
      assertEquals(mean, test.number("tokensPerSecond"), 0.001);
      assertEquals(
          Math.abs(runs.get(0) - runs.get(1)) / Math.sqrt(2), test.number("deviation"), 0.001);
    }
  }

  @Test
  void measuresTheCacheThatItIsAskedFor() {
    String out = Cli.run("bench", "-p", 0, "-n", 2, "-r", 1, "-w", 0, "--cache", "bf16").out();
    assertTrue(out.contains(" BF16 "), out);
  }

  @Test
  void aTestMayBeginAfterOtherTokens() {
    String out = Cli.run("bench", "-p", 3, "-n", 2, "-d", 5, "-r", 1, "-w", 0, "-o", "json").out();
    Config json = Config.parse("out", out.getBytes(StandardCharsets.UTF_8));
    assertEquals(
        List.of("pp3 @ d5", "tg2 @ d5"),
        json.sections("tests").stream().map(test -> test.word("test")).toList());
  }

  @Test
  void aTestMayBeLeftOut() {
    String out = Cli.run("bench", "-p", 0, "-n", 2, "-r", 1, "-w", 0).out();
    assertTrue(out.contains("tg2") && !out.contains("pp"), out);
  }

  @ParameterizedTest
  @CsvSource({"600, 2, 0", "2, 600, 0", "2, 100, 500"})
  void refusesMoreTokensThanTheModelHasPositions(int prompt, int generate, int depth)
      throws Exception {
    Path gpt2 = Path.of(BenchTest.class.getResource("/goldens/gpt2").toURI());
    Cli run = Cli.run("bench", "-m", gpt2, "-p", prompt, "-n", generate, "-d", depth, "-w", 0);
    assertEquals(
        "apus bench: %s: a session of 600 tokens; the model has 512 positions\nsee apus bench --help"
            .formatted(gpt2),
        run.complaint());
    assertEquals(2, run.exitCode());
  }

  @ParameterizedTest
  @ValueSource(strings = {"-p=-1", "-n=-1", "-d=-1", "-w=-1", "-r=0", "-t=0", "-o=xml"})
  void refusesWhatMeasuresNothing(String option) {
    Cli run = Cli.run("bench", option);
    assertEquals(2, run.exitCode(), run.err());
    assertTrue(run.err().startsWith("apus bench: "), run.err());
  }
}
