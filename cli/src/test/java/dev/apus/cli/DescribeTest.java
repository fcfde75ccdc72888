package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.config.Config;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.core.model.Architecture;
import dev.apus.fable.Fable;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
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
  void sizesAndMemoryFollowOnTheErrorStream() {
    String err = Cli.run("describe").err();
    assertTrue(err.contains("7.6 M parameters; the file holds\n"), err);
    assertTrue(err.contains("  Q8_0  183 tensors, 7.6 M values, 8.1 MB\n"), err);
    ModelOptions options = ModelOptions.standard().withoutEasing();
    try (Model model = Model.load(Fable.files(), options);
        var session = model.newSession(1)) {
      String memory =
          "in memory %s of weights; a session takes %s and %s for each token\n"
              .formatted(
                  Units.bytes(model.weightBytes()),
                  Units.bytes(session.bytes()),
                  Units.bytes(model.stateBytesPerToken()));
      assertTrue(err.contains(memory), err);
    }
    assertTrue(err.endsWith(", which fits\n"), err);
    String little = Cli.run("describe", "-c", Integer.MAX_VALUE).err();
    assertTrue(little.matches("(?s).*need [^:]*: at most \\d+ tokens fit\n"), little);
    String longer = Cli.run("describe", "-c", 100_000).err();
    assertTrue(longer.matches("(?s).*, which fits; the model was made for \\d+\n"), longer);
    assertEquals(2, Cli.run("describe", "-c", 0).exitCode());
    assertEquals("", Cli.run("describe", "-q").err());
  }

  /** A model that has but one of its weights cannot be opened, and is described all the same. */
  @Test
  void readsNoWeightsForTheDocument(@TempDir Path folder) throws Exception {
    Path config = Path.of(DescribeTest.class.getResource("/goldens/llama/config.json").toURI());
    Files.copy(config, folder.resolve("config.json"));
    new SafetensorsWriter()
        .add("model.norm.weight", "F32", List.of(6L), MemorySegment.ofArray(new byte[24]))
        .write(folder.resolve("model.safetensors"));
    Cli run = Cli.run("describe", "--document", folder);
    assertEquals("", run.err());
    assertEquals("llama", Architecture.read(json(run.out())).family());
    assertEquals(3, Cli.run("describe", folder).exitCode());
    assertEquals(2, Cli.run("describe", "--json", "--document", folder).exitCode());
  }

  @Test
  void theDocumentIsTheSameWhereDigitsAreOthers() {
    Locale before = Locale.getDefault();
    String document = Cli.run("describe", "--json").out();
    try {
      Locale.setDefault(Locale.forLanguageTag("ar-EG"));
      assertEquals("\u0661", "%d".formatted(1), "the locale must have digits of its own");
      assertEquals(document, Cli.run("describe", "--json").out());
    } finally {
      Locale.setDefault(before);
    }
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
      assertEquals(model.windowBytes(), document.integer("windowBytes"));
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
