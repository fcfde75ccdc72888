package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class ConvertMoeTest {

  @TempDir private Path folder;
  private Path dense;

  @BeforeEach
  void writeDense() {
    dense = folder.resolve("dense");
    Cli made = Cli.run("random", "src/test/resources/configs/llama.json", "-o", dense);
    assertEquals(0, made.exitCode(), made.err());
  }

  @Test
  void eachWayWritesAModelThatOpens() {
    List<Object[]> ways =
        List.of(
            new Object[] {"convert", "moe", "split", "--experts", 4, "--top", 2, dense},
            new Object[] {"convert", "moe", "upcycle", "--experts", 3, "--top", 1, dense},
            new Object[] {"convert", "moe", "merge", dense, dense});
    for (Object[] way : ways) {
      Path to = folder.resolve(way[2].toString());
      Object[] words = Arrays.copyOf(way, way.length + 1);
      words[way.length] = to;
      Cli run = Cli.run(words);
      assertEquals(0, run.exitCode(), run.err());
      Cli described = Cli.run("describe", "--document", to);
      assertEquals(0, described.exitCode(), described.err());
      assertTrue(described.out().contains("\"experts\""), described.out());
    }
  }

  @Test
  void whatIsMissingOrThereAlreadyIsSaid() {
    assertRefused("Missing: split, upcycle or merge", "convert", "moe");
    assertRefused("Missing: MODEL and OUT", "convert");
    assertRefused("Missing: OUT", "convert", dense);
    Object[] onto = {"convert", "moe", "split", "--experts", 4, "--top", 2, dense, dense};
    assertRefused("is there already", onto);
    Path to = folder.resolve("none");
    Object[] uneven = {"convert", "moe", "split", "--experts", 11, "--top", 2, dense, to};
    assertRefused("cannot be shared out to 11 experts evenly", uneven);
    assertTrue(Files.notExists(to));
  }

  private static void assertRefused(String why, Object... words) {
    Cli run = Cli.run(words);
    assertEquals(2, run.exitCode(), run.err());
    assertTrue(run.err().contains(why), run.err());
  }
}
