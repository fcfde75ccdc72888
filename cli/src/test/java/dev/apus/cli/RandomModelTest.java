package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class RandomModelTest {

  @TempDir private Path folder;

  private static Path golden(String name) throws URISyntaxException {
    return Path.of(RandomModelTest.class.getResource("/goldens/" + name).toURI());
  }

  @Test
  void aFileIsMadeOfAFolderAConfigAndADocument() throws Exception {
    Path byFolder = folder.resolve("folder.gguf");
    Path byConfig = folder.resolve("config.gguf");
    Path byDocument = folder.resolve("document.gguf");
    Path document = folder.resolve("llama.json");
    Path llama = golden("llama");
    Files.writeString(document, Cli.run("describe", "--document", llama).out());
    made("random", llama, "--format", "Q8_0", "-o", byFolder);
    made("random", llama.resolve("config.json"), "--format", "Q8_0", "-o", byConfig);
    made("random", document, "--format", "Q8_0", "-o", byDocument);
    assertEquals(-1, Files.mismatch(byFolder, byConfig));
    try (Model first = Model.load(byFolder);
        Model second = Model.load(byDocument)) {
      assertEquals(first.architecture(), second.architecture());
    }
  }

  @Test
  void aFolderIsMeasured() throws Exception {
    Path written = folder.resolve("a/b");
    made("random", golden("qwen3_next"), "-o", written);
    made("bench", "-m", written, "-p", 4, "-n", 2, "-r", 1, "-w", 0);
    assertTrue(Files.readString(written.resolve("config.json")).contains("\"bfloat16\""));
  }

  @Test
  void theSeedIsWhatCounts() throws Exception {
    for (String seed : new String[] {"1", "1", "2"}) {
      Path last = folder.resolve(seed + ".gguf");
      Path before = folder.resolve(seed + ".before");
      if (Files.exists(last)) {
        Files.move(last, before);
      }
      made("random", golden("mixtral"), "--seed", seed, "-o", last);
    }
    assertEquals(-1, Files.mismatch(folder.resolve("1.gguf"), folder.resolve("1.before")));
    assertFalse(Files.mismatch(folder.resolve("1.gguf"), folder.resolve("2.gguf")) < 0);
  }

  @Test
  void refusesWhatItCannotWrite() throws Exception {
    Path llama = golden("llama");
    Path note = Files.writeString(folder.resolve("note.txt"), "a note");
    Path list = Files.writeString(folder.resolve("list.json"), "{\"name\": \"none\"}");
    refused(2, llama + " holds model.safetensors already; remove it", llama, "-o", llama);
    refused(2, "is no folder, and does not end in .gguf", llama, "-o", note);
    refused(2, "name the folder", llama, "-o", folder.resolve("model.safetensors"));
    refused(2, "--output", llama);
    refused(3, "is not there", folder.resolve("absent"), "-o", folder.resolve("x.gguf"));
    refused(3, "model_type name nothing", list, "-o", folder.resolve("x.gguf"));
    refused(3, "no kind of GGUF file", golden("gpt2"), "-o", folder.resolve("x.gguf"));
    assertFalse(Files.exists(folder.resolve("x.gguf")));
    assertEquals("a note", Files.readString(note));
  }

  private static void made(Object... arguments) {
    Cli run = Cli.run(arguments);
    assertEquals(0, run.exitCode(), run.err());
  }

  private static void refused(int exitCode, String message, Object... arguments) {
    Object[] words = new Object[arguments.length + 1];
    words[0] = "random";
    System.arraycopy(arguments, 0, words, 1, arguments.length);
    Cli run = Cli.run(words);
    assertEquals(exitCode, run.exitCode(), run.err());
    assertTrue(run.err().contains(message), run.err());
  }
}
