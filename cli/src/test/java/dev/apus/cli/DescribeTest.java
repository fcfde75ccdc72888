package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.fable.Fable;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class DescribeTest {

  private static Config json(String text) {
    return Config.parse("out", text.getBytes(StandardCharsets.UTF_8));
  }

  @Test
  void whatItPrintsIsTheArchitecture() {
    Cli run = Cli.run("describe");
    assertEquals(0, run.exitCode(), run.err());
    try (Model model = Fable.open()) {
      String read = Architecture.read(json(run.out())).toJson();
      assertEquals(model.architecture().toJson(), read);
    }
  }

  @Test
  void sizesFollowOnTheErrorStream() {
    String err = Cli.run("describe").err();
    assertTrue(err.startsWith("7.6 M parameters; the file holds\n"), err);
    assertTrue(err.contains("  Q8_0  183 tensors, 7.6 M values, 8.1 MB\n"), err);
    assertTrue(err.contains("and 2.0 kB for each token"), err);
  }

  @Test
  void sizesMayBePartOfTheDocument() {
    Cli run = Cli.run("describe", "--json");
    assertEquals("", run.err());
    Config document = json(run.out());
    try (Model model = Fable.open();
        var session = model.newSession(1)) {
      String read = Architecture.read(document.section("architecture")).toJson();
      assertEquals(model.architecture().toJson(), read);
      assertEquals(7_640_352, document.integer("parameters"));
      assertEquals(model.parameters(), document.integer("parameters"));
      assertEquals(model.weightBytes(), document.integer("weightBytes"));
      assertEquals(session.bytes(), document.integer("stateBytes"));
      assertEquals(model.stateBytesPerToken(), document.integer("stateBytesPerToken"));
      Config blocks = document.section("stored").section("Q8_0");
      assertEquals(34 * blocks.integer("values"), 32 * blocks.integer("bytes"));
    }
  }

  @Test
  void theModelMayBeNamedEitherWayButOnce(@TempDir Path folder) throws IOException {
    Path fable = Cli.fable(folder.resolve("fable"));
    String document = Cli.run("describe", fable).out();
    assertEquals(document, Cli.run("describe", "-m", fable).out());
    Cli both = Cli.run("describe", "-m", fable, fable);
    assertEquals(2, both.exitCode());
    assertTrue(both.err().contains("both name a model"), both.err());
  }

  @Test
  void saysWhatIsNotThere(@TempDir Path folder) {
    Cli run = Cli.run("describe", folder.resolve("absent"));
    assertEquals(3, run.exitCode());
    assertTrue(run.err().contains("absent: there is no such file or folder"), run.err());
  }
}
