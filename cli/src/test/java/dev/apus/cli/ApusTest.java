package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine;

class ApusTest {

  @Test
  void theVersionIsThatOfTheBuild() {
    Cli run = Cli.run("--version");
    assertEquals(0, run.exitCode());
    String[] lines = run.out().split("\\R");
    assertTrue(lines[0].matches("Apus \\d+\\.\\d+\\.\\d+(-SNAPSHOT)?"), lines[0]);
    assertTrue(lines[1].startsWith("Java " + Runtime.version()), lines[1]);
  }

  @Test
  void aMisspeltOptionIsRefusedByName() {
    Cli run = Cli.run("--vresion");
    assertEquals(2, run.exitCode());
    assertTrue(run.err().contains("--vresion"), run.err());
  }

  @Test
  void aMisspeltCommandIsRefusedWithTheOneThatWasMeant() {
    Cli run = Cli.run("genrate", "Once");
    assertEquals(2, run.exitCode());
    assertTrue(run.err().contains("genrate") && run.err().contains("generate"), run.err());
  }

  @Test
  void withoutACommandItSaysWhichThereAre() {
    Cli run = Cli.run();
    assertEquals(0, run.exitCode());
    for (String command :
        new String[] {"generate", "describe", "verify", "bench", "perplexity", "convert"}) {
      assertTrue(run.out().contains("\n  " + command), command);
    }
  }

  @Test
  void everyCommandIsKnownByItsName() {
    Map<String, CommandLine> all = Apus.commandLine().getSubcommands();
    assertEquals(List.copyOf(Commands.ALL.keySet()), List.copyOf(all.keySet()));
    all.forEach((name, command) -> assertEquals(name, command.getCommandName()));
  }

  @Test
  void aCommandIsReadAloneWhereverItsNameIs() {
    assertEquals(
        Set.of("bench"), Apus.commandLine("--quiet", "bench", "--help").getSubcommands().keySet());
    Cli run = Cli.run("-q", "bench", "--help");
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(run.out().startsWith("Usage: apus bench"), run.out());
  }

  @ParameterizedTest
  @ValueSource(strings = {"generate", "describe", "verify", "bench", "perplexity", "convert"})
  void everyCommandHasExamplesAndSaysItsExitCodes(String command) {
    Cli run = Cli.run(command, "--help");
    assertEquals(0, run.exitCode());
    assertTrue(run.out().contains("Examples:\n  apus " + command + " "), run.out());
    assertTrue(run.out().contains("Exit codes:\n  0 "), run.out());
    assertTrue(run.out().contains("--quiet") && run.out().contains("--debug"), run.out());
  }
}
