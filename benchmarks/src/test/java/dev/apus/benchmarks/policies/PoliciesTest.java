package dev.apus.benchmarks.policies;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import picocli.CommandLine;

class PoliciesTest {

  @TempDir private Path folder;

  private List<String> rows(String... options) throws Exception {
    CommandLine command = Policies.commandLine();
    command.setOut(new PrintWriter(new StringWriter()));
    command.setErr(new PrintWriter(new StringWriter()));
    Path page = folder.resolve("page.md");
    Stream<String> common = Stream.of("-p", "72", "-n", "2", "-t", "1", "-o", page.toString());
    String[] all = Stream.concat(common, Stream.of(options)).toArray(String[]::new);
    assertEquals(0, command.execute(all));
    return Files.readAllLines(page).stream().filter(line -> line.startsWith("| `")).toList();
  }

  @Test
  void theRandomModelFollowsEveryPolicy() throws Exception {
    List<String> rows = rows();
    assertEquals(1 + Subject.random(74).policies().size(), rows.size());
    // Nothing is left out, for no budget is reached.
    for (String row : rows) {
      assertTrue(row.contains("| 0.000 | 100.0 %"), row);
    }
  }

  @Test
  void whatIsLeftOutShows() throws Exception {
    List<String> rows = rows("-a", "quest:page=4,budget=16,skip=0");
    assertEquals("100.0 %", rows.getFirst().split("\\|")[2].strip());
    assertTrue(Double.parseDouble(rows.getLast().split("\\|")[2].replace("%", "")) < 50);
    assertTrue(Double.parseDouble(rows.getLast().split("\\|")[7]) > 0);
  }
}
