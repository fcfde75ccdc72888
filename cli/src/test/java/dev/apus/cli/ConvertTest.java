package dev.apus.cli;

import static java.nio.file.StandardCopyOption.REPLACE_EXISTING;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.file.ModelFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ConvertTest {

  @TempDir private Path folder;
  private Path fable;

  @BeforeEach
  void writeACheckpoint() throws IOException {
    fable = Cli.fable(folder.resolve("fable"));
  }

  @Test
  void whatIsInTheFormatAlreadyStaysAsItIs() throws IOException {
    Path same = folder.resolve("same");
    assertEquals(0, Cli.run("convert", fable, same).exitCode());
    for (String name : new String[] {"model.gguf", "config.json", "tokenizer.json"}) {
      assertArrayEquals(
          Files.readAllBytes(fable.resolve(name)), Files.readAllBytes(same.resolve(name)), name);
    }
  }

  /** A model that lost its template or its vocabulary would answer otherwise, or not at all. */
  @Test
  void whatLiesBesideTheTensorsComesAlong() throws IOException {
    Path templates = Files.createDirectories(fable.resolve(ModelFiles.TEMPLATES));
    Files.writeString(templates.resolve("tools.jinja"), "{{ tools }}");
    Path llama = folder.resolve("llama");
    Cli made = Cli.run("random", "src/test/resources/configs/llama.json", "-o", llama);
    assertEquals(0, made.exitCode(), made.err());
    for (String name : ModelFiles.SETTINGS) {
      for (Path model : new Path[] {fable, llama}) {
        if (Files.notExists(model.resolve(name)) && !name.startsWith("tokenizer")) {
          Files.writeString(model.resolve(name), "{\"of\": \"" + name + "\"}");
        }
      }
    }
    Path same = folder.resolve("same");
    Cli run = Cli.run("convert", "--format", "Q8_0", fable, same);
    assertEquals(0, run.exitCode(), run.err());
    assertSameSettings(fable, same);
    assertEquals(
        "{{ tools }}", Files.readString(same.resolve("additional_chat_templates/tools.jinja")));
    Path mixture = folder.resolve("mixture");
    Cli upcycled = Cli.run("convert", "moe", "upcycle", "--experts", 2, "--top", 1, llama, mixture);
    assertEquals(0, upcycled.exitCode(), upcycled.err());
    Files.copy(llama.resolve("config.json"), mixture.resolve("config.json"), REPLACE_EXISTING);
    assertSameSettings(llama, mixture);
  }

  private static void assertSameSettings(Path from, Path to) throws IOException {
    for (String name : ModelFiles.SETTINGS) {
      assertEquals(Files.exists(from.resolve(name)), Files.exists(to.resolve(name)), name);
      if (Files.exists(from.resolve(name))) {
        assertEquals(-1, Files.mismatch(from.resolve(name), to.resolve(name)), name);
      }
    }
  }

  @Test
  void aConvertedModelRunsAndIsSmaller() throws IOException {
    Path small = folder.resolve("a/small");
    Cli run = Cli.run("convert", "--format", "Q4_0", fable, small);
    assertEquals(0, run.exitCode(), run.err());
    assertEquals("183 of 228 tensors are Q4_0 now; 8.1 MB became 4.3 MB\n", run.err());
    Cli story = Cli.run("generate", "--greedy", "-n", 4, "-m", small, "Once upon a time");
    assertEquals(0, story.exitCode(), story.err());
    assertTrue(Files.size(small.resolve("model.gguf")) < 4_400_000);
  }

  @Test
  void whatIsToBeKeptIsKept() {
    Cli run =
        Cli.run("convert", "--format=Q4_0", "--keep=embed|gate", fable, folder.resolve("kept"));
    assertEquals(0, run.exitCode(), run.err());
    assertTrue(
        run.err().matches("(?s)(1[0-7]\\d|\\d\\d) of 228 tensors are Q4_0 now.*"), run.err());
  }

  @Test
  void refusesToWriteOverTheCheckpoint() {
    refused(2, "is the checkpoint itself", fable, fable);
    refused(2, "is the checkpoint itself, or no folder", fable, fable.resolve("config.json"));
    refused(3, "there is no such file or folder", folder.resolve("absent"), folder.resolve("new"));
    refused(2, "--format", "--format=Q3", fable, folder.resolve("new"));
    refused(2, "--keep", "--keep=(", fable, folder.resolve("new"));
  }

  @ParameterizedTest
  @ValueSource(strings = {"model.safetensors", "model.safetensors.index.json"})
  void refusesAFolderThatHoldsSafetensors(String name) throws IOException {
    Path taken = Files.createDirectories(folder.resolve("taken"));
    Files.createFile(taken.resolve(name));
    Cli run = Cli.run("convert", fable, taken);
    assertEquals(
        "apus convert: %s holds %s, beside which no other tensors may lie; name another folder\nsee apus convert --help"
            .formatted(taken, name),
        run.complaint());
    assertEquals(2, run.exitCode());
    assertFalse(Files.exists(taken.resolve("model.gguf")));
  }

  private static void refused(int exitCode, String message, Object... arguments) {
    Object[] words = new Object[arguments.length + 1];
    words[0] = "convert";
    System.arraycopy(arguments, 0, words, 1, arguments.length);
    Cli run = Cli.run(words);
    assertEquals(exitCode, run.exitCode(), run.err());
    assertTrue(run.err().contains(message), run.err());
  }
}
