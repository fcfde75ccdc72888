package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.PrintWriter;
import java.io.StringWriter;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import picocli.CommandLine;

class FailuresTest {

  private static final String OUTSIDE =
      "weights and states lie outside the JVM's heap: the process needs about as much as the"
          + " model's file and the session's state take";

  @ParameterizedTest
  @CsvSource({
    "generate, Java heap space, 'the JVM''s heap is full: APUS_OPTS=-Xmx8g makes it 8 GB large'",
    "describe, Unable to allocate 64 bytes, OUTSIDE",
    "generate, Unable to allocate 64 bytes, OUTSIDE; a smaller --limit makes the state smaller"
  })
  void saysWhichMemoryThereIsNotEnoughOf(String name, String found, String advice) {
    CommandLine root = Apus.commandLine();
    CommandLine command = root.getSubcommands().get(name);
    var err = new StringWriter();
    command.setErr(new PrintWriter(err, true));
    Failures failures = (Failures) root.getExecutionExceptionHandler();
    assertEquals(1, failures.handle(new OutOfMemoryError(found), command));
    assertEquals(
        "apus "
            + name
            + ": there is not enough memory ("
            + found
            + "); "
            + advice.replace("OUTSIDE", OUTSIDE)
            + System.lineSeparator(),
        err.toString());
  }
}
