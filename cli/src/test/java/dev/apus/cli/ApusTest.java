package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.api.Test;
import picocli.CommandLine;

class ApusTest {

  private final StringWriter out = new StringWriter();
  private final StringWriter err = new StringWriter();

  private int run(String... arguments) {
    CommandLine command = Apus.commandLine();
    command.setOut(new PrintWriter(out, true));
    command.setErr(new PrintWriter(err, true));
    return command.execute(arguments);
  }

  @Test
  void theVersionIsThatOfTheBuild() {
    assertEquals(0, run("--version"));
    String[] lines = out.toString().split("\\R");
    assertTrue(lines[0].matches("Apus \\d+\\.\\d+\\.\\d+(-SNAPSHOT)?"), lines[0]);
    assertTrue(lines[1].startsWith("Java " + Runtime.version()), lines[1]);
    assertTrue(lines[2].matches("Kernels (scalar|vector-\\d+)"), lines[2]);
  }

  @Test
  void aMisspeltOptionIsRefusedByName() {
    assertEquals(CommandLine.ExitCode.USAGE, run("--vresion"));
    assertTrue(err.toString().contains("--vresion"), err.toString());
  }
}
