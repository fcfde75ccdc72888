package dev.apus.benchmarks.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.benchmarks.chart.Xml;
import dev.apus.core.file.GgufWriter;
import java.io.IOException;
import java.io.PrintWriter;
import java.io.StringWriter;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

/** The whole comparison with engines that are shell scripts, whose speeds are known. */
@DisabledOnOs(OS.WINDOWS)
class CompareTest {

  @TempDir private Path folder;
  private Path model;
  private Path apus;
  private String err;

  @BeforeEach
  void makeAModelAndApus() throws IOException {
    model = folder.resolve("tiny.gguf");
    new GgufWriter()
        .text("general.architecture", "llama")
        .u32("llama.expert_count", 4)
        .u32("llama.expert_used_count", 1)
        .add("token_embd.weight", "F32", List.of(10L, 10L), MemorySegment.ofArray(new byte[400]))
        .add("output.weight", "F32", List.of(10L, 10L), MemorySegment.ofArray(new byte[400]))
        .add(
            "blk.0.ffn_up_exps.weight",
            "F32",
            List.of(4L, 10L, 10L),
            MemorySegment.ofArray(new byte[1600]))
        .write(model);
    apus =
        script(
            "apus",
            """
            echo "$*" >>"$0.arguments"
            echo '{ "version" : "1", "kernels" : "vector-512", "jdk" : "VM", "tests" : ['
            echo '  { "test" : "pp8", "runs" : [ 90.0, 100.0, 400.0 ] },'
            echo '  { "test" : "tg4", "runs" : [ 10.0, 20.0 ] } ] }'
            """);
  }

  private Path script(String name, String body) throws IOException {
    Path file = folder.resolve(name);
    Files.writeString(file, "#!/bin/sh\n" + body);
    assertTrue(file.toFile().setExecutable(true));
    return file;
  }

  /** Prints what llama-bench prints for a prompt of 8 and a generation of 4. */
  private Path llamaBench(String name, double prompt, double generation) throws IOException {
    return script(
        name,
        """
        echo "$*" >>"$0.arguments"
        case "$*" in *--help*) echo '  -gp <pp,tg>'; exit ;; esac
        echo 'loading'
        echo '[ { "build_commit": "abc", "build_number": 7, "n_prompt": 8, "n_gen": 0,'
        echo '    "samples_ts": [ %s ] },'
        echo '  { "build_commit": "abc", "build_number": 7, "n_prompt": 0, "n_gen": 4,'
        echo '    "samples_ts": [ %s ] } ]'
        """
            .formatted(prompt, generation));
  }

  private int compare(Object... more) {
    List<String> arguments = new ArrayList<>();
    Stream.of("--apus", apus, "-m", model, "-p", 8, "-n", 4, "-t", 1, "--rounds", 2)
        .forEach(argument -> arguments.add(argument.toString()));
    arguments.addAll(List.of("--ceiling-mebibytes", "1", "--ceiling-millis", "1"));
    arguments.addAll(List.of("-o", folder.resolve("page.md").toString()));
    Stream.of(more).forEach(argument -> arguments.add(argument.toString()));
    var said = new StringWriter();
    CommandLine command = new CommandLine(new Compare());
    command.setOut(new PrintWriter(new StringWriter()));
    command.setErr(new PrintWriter(said));
    int exitCode = command.execute(arguments.toArray(String[]::new));
    err = said.toString();
    return exitCode;
  }

  /** The cells of the table's row that begins with these words. */
  private List<String> row(String beginning) throws IOException {
    String line =
        Files.readAllLines(folder.resolve("page.md")).stream()
            .filter(row -> row.startsWith("| " + beginning))
            .findFirst()
            .orElseThrow();
    return Stream.of(line.split("\\|")).skip(1).map(String::strip).toList();
  }

  @Test
  void comparesMediansOfEqualTests() throws Exception {
    assertEquals(0, compare("--llama-bench", "a&b=" + llamaBench("peer", 250, 12)), err);
    assertEquals(List.of("model", "test", "Apus", "a&b"), row("model"));
    assertEquals(
        List.of("tiny", "pp8, tokens/s", "100 (100–100)", "250 (250–250), 2.50×"),
        row("tiny | pp8"));
    assertEquals(
        List.of("tiny", "tg4, tokens/s", "15.0 (15.0–15.0)", "12.0 (12.0–12.0), 0.80×"),
        row("tiny | tg4"));
    assertEquals("share of read bandwidth (0.00 GB a token)", row("tiny | share").get(1));
    assertEquals(List.of("a&b", "build 7 (abc)", ""), row("a&b"));
    assertEquals(List.of("Apus", "1, vector-512, VM", ""), row("Apus"));
    assertEquals(
        List.of("node-llama-cpp", "not run", "not given (--node-llama-cpp)"),
        row("node-llama-cpp"));
    String common = "-m " + model + " -p 8 -n 4 -t 1 -r 3 -o json";
    assertEquals(List.of(common, common), Files.readAllLines(folder.resolve("peer.arguments")));
    for (String test : List.of("pp8", "tg4")) {
      String svg = Files.readString(folder.resolve("charts/compare-" + test + ".svg"));
      assertEquals("svg", Xml.parse(svg).getDocumentElement().getTagName());
      assertTrue(svg.contains("a&amp;b"), svg);
    }
  }

  @Test
  void reportsAPeerThatFailsWithItsLastWords() throws IOException {
    Path broken =
        script("broken", "echo 'no such | model' >&2\necho '    at main (x.js:1)' >&2\nexit 3\n");
    Path silent = script("silent", "exit 0\n");
    Path peer = llamaBench("peer", 250, 12);
    assertEquals(
        1,
        compare(
            "--llama-bench", "one=" + broken,
            "--llama-bench", "two=" + silent,
            "--llama-bench", "three=" + peer));
    assertEquals(
        List.of(
            "tiny", "pp8, tokens/s", "100 (100–100)", "failed", "failed", "250 (250–250), 2.50×"),
        row("tiny | pp8"));
    String page = Files.readString(folder.resolve("page.md"));
    assertTrue(page.contains("tiny failed: exit code 3: no such \\| model |"), page);
    assertTrue(page.contains("tiny failed: printed no JSON"), page);
  }

  @Test
  void saysWhatIsNotInstalled() throws IOException {
    assertEquals(
        0, compare("--llama-bench", "gone=/no/such/bench -fa 1", "--node-llama-cpp", folder));
    assertEquals(
        List.of("gone", "not run", "not installed: /no/such/bench is not there"), row("gone"));
    assertEquals(
        "not installed: " + folder.resolve("node-llama-cpp") + " is not there",
        row("node-llama-cpp").get(2));
  }

  @Test
  void passesOptionsOnAndAsksForDepthAsThePeerKnowsIt() throws IOException {
    Path peer = llamaBench("peer", 250, 12);
    compare("-d", 16, "--llama-bench", "peer=" + peer + " -fa 1");
    assertEquals(
        "-m " + model + " -p 0 -n 0 -gp 16,4 -t 1 -r 3 -o json -fa 1",
        Files.readAllLines(folder.resolve("peer.arguments")).getLast());
    assertEquals(
        "bench -q -m " + model + " -d 16 -p 8 -n 4 -t 1 -r 3 -o json",
        Files.readAllLines(folder.resolve("apus.arguments")).getLast());
  }

  @Test
  void refusesWhatCannotBeComparedBeforeMeasuring() throws IOException {
    assertEquals(2, compare("-p", 0, "-n", 0));
    assertEquals(2, compare("--rounds", 0));
    Path peer = llamaBench("peer", 250, 12);
    assertEquals(2, compare("--llama-bench", peer, "--llama-bench", peer));
    assertTrue(err.contains("two engines are called llama.cpp"), err);
    Files.writeString(folder.resolve("page.md"), "a page without a section\n");
    assertEquals(1, compare());
    assertEquals("a page without a section\n", Files.readString(folder.resolve("page.md")));
    assertFalse(Files.exists(folder.resolve("apus.arguments")));
  }

  @Test
  void aTokenReadsTheChosenExpertsAndTheHead() {
    assertEquals(400 + 1600 / 4, ReadPerToken.of(model));
    assertEquals(0, ReadPerToken.of(apus));
  }
}
