package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class VerifyTest {

  @TempDir private Path folder;
  private Path fable;

  /** The embedded model beside answers that it gives itself. */
  @BeforeEach
  void writeACheckpointWithAnswers() throws IOException {
    fable = Answers.write(Cli.fable(folder.resolve("fable")));
  }

  @Test
  void aFolderThatAnswersAsExpectedAgrees() {
    Cli run = Cli.run("verify", "--tolerance", "0", fable);
    assertEquals(0, run.exitCode(), run.out() + run.err());
    String[] lines = run.out().split("\n");
    assertTrue(lines[0].matches("folder +family +deviation +greedy tokens +verdict"), lines[0]);
    assertTrue(lines[1].matches(".*fable +qwen3_next +0.0e\\+00 +4 equal +agrees"), lines[1]);
    assertEquals("1 of 1 folders agree", lines[2]);
  }

  @Test
  void anotherLogitIsADeviation() throws IOException {
    Answers.of(fable).withLogit(2, 5, 0.5f).writeTo(fable);
    Cli run = Cli.run("verify", fable);
    assertEquals(1, run.exitCode());
    assertTrue(run.out().contains("4 equal") && run.out().contains("DIFFERS"), run.out());
    assertEquals(0, Cli.run("verify", "--tolerance", "10", fable).exitCode());
  }

  @Test
  void aLogitThatIsNoNumberIsADeviationWhateverFollows() throws IOException {
    Answers.of(fable).withLogit(2, 5, Float.NaN).writeTo(fable);
    Cli run = Cli.run("verify", "--tolerance", "10", fable);
    assertEquals(1, run.exitCode());
    assertTrue(run.out().matches("(?s).* NaN +4 equal +DIFFERS\n.*"), run.out());
  }

  @Test
  void answersThatDoNotFitAreARow() throws IOException {
    Path json = fable.resolve("expected.json");
    Files.writeString(json, Files.readString(json).replace("[1, 1, 1, 1]", "[1]"));
    Cli run = Cli.run("verify", fable);
    assertEquals(1, run.exitCode());
    assertTrue(
        run.out()
            .contains(
                "  FAILED: expected.json:1: greedy_margins has 1 entries; needed: 4, one for each"
                    + " of greedy\n"),
        run.out());
  }

  @Test
  void anotherGreedyTokenDiffersWhateverTheTolerance() throws IOException {
    Answers.of(fable).withGreedy(1).writeTo(fable);
    Cli run = Cli.run("verify", "--tolerance", "10", fable);
    assertEquals(1, run.exitCode());
    assertTrue(run.out().contains("differs at 1"), run.out());
  }

  @Test
  void oneThatFailsIsARowAndTheOthersAreVerified() throws IOException {
    Path broken = Files.createDirectories(folder.resolve("broken"));
    Files.writeString(broken.resolve("config.json"), "{\"model_type\": \"abacus\"}");
    Files.writeString(broken.resolve("expected.json"), "{");
    Path unanswered = Cli.fable(folder.resolve("unanswered"));
    Cli run = Cli.run("verify", broken, unanswered, fable);
    assertEquals(1, run.exitCode());
    String[] lines = run.out().split("\n");
    assertEquals(5, lines.length, run.out());
    assertTrue(lines[1].contains("FAILED: expected.json:1"), lines[1]);
    assertTrue(lines[2].contains("has no expected.json to compare with"), lines[2]);
    assertTrue(lines[3].contains("agrees"), lines[3]);
    assertEquals("1 of 3 folders agree", lines[4]);
  }

  @Test
  void aGgufFileIsComparedWithTheAnswersBesideIt() throws IOException {
    Path answered = Files.writeString(fable.resolve("other.gguf"), "no model");
    Path unanswered = Files.writeString(folder.resolve("lonely.gguf"), "no model");
    Cli run = Cli.run("verify", answered, unanswered);
    assertEquals(1, run.exitCode());
    String[] lines = run.out().split("\n");
    assertTrue(lines[1].contains("does not start with GGUF"), lines[1]);
    assertTrue(lines[2].contains("has no expected.json to compare with"), lines[2]);
  }

  @Test
  void aFolderOfFoldersStandsForThose() {
    Cli run = Cli.run("verify", folder);
    assertEquals(0, run.exitCode(), run.out() + run.err());
    assertTrue(run.out().endsWith("1 of 1 folders agree\n"), run.out());
  }

  @Test
  void onlySomeNames() throws IOException {
    Files.createDirectories(folder.resolve("other"));
    Files.writeString(folder.resolve("other/config.json"), "{}");
    assertEquals(0, Cli.run("verify", "--only", "abl", folder).exitCode());
    refused("no folder has \"xyz\" in its name", "--only", "xyz", folder);
  }

  @Test
  void saysWhatIsNotThere() throws IOException {
    refused("is not there", folder.resolve("absent"));
    refused("is no folder", fable.resolve("config.json"));
    refused("has no config.json", Files.createDirectories(folder.resolve("empty")));
    refused("--tolerance is NaN", "--tolerance", "NaN", fable);
    refused("Missing required parameter: 'DIR'");
  }

  private static void refused(String message, Object... arguments) {
    Object[] words = new Object[arguments.length + 1];
    words[0] = "verify";
    System.arraycopy(arguments, 0, words, 1, arguments.length);
    Cli run = Cli.run(words);
    assertEquals(2, run.exitCode(), run.err());
    assertTrue(run.err().contains(message), run.err());
  }
}
