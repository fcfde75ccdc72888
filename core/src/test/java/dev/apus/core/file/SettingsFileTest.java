package dev.apus.core.file;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertNull;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What may lie in a checkpoint's folder in place of a JSON file. */
@Timeout(60)
class SettingsFileTest {

  @TempDir Path folder;

  private byte[] read(String file) {
    return ModelFiles.folder(folder).read(file);
  }

  private void refused(String file, String message) {
    var e = assertThrows(FormatException.class, () -> read(file));
    assertEquals(folder.resolve(file) + ": " + message, e.getMessage());
  }

  private static void setLength(Path file, long length) throws IOException {
    try (var sparse = new RandomAccessFile(file.toFile(), "rw")) {
      sparse.setLength(length);
    }
  }

  @Test
  void aFileIsReadWholeAndOneThatIsNotThereIsNull() throws IOException {
    byte[] content = "{\"a\": 1}".getBytes(StandardCharsets.UTF_8);
    Files.write(folder.resolve("config.json"), content);
    assertArrayEquals(content, read("config.json"));
    assertNull(read("tokenizer.json"));
  }

  @Test
  void aLinkToAFileIsFollowed() throws IOException {
    byte[] content = {'{', '}'};
    Files.write(folder.resolve("elsewhere"), content);
    Files.createSymbolicLink(folder.resolve("config.json"), folder.resolve("elsewhere"));
    assertArrayEquals(content, read("config.json"));
  }

  @ParameterizedTest
  @CsvSource({
    "config.json, 4194304",
    "generation_config.json, 4194304",
    "tokenizer.json, 268435456",
    "tokenizer_config.json, 268435456"
  })
  void aFileLargerThanAnySuchFileIsRefused(String file, long largest) throws IOException {
    setLength(folder.resolve(file), largest + 1);
    refused(file, "has %d bytes; at most %d make sense".formatted(largest + 1, largest));
  }

  @Test
  void aFileAsLargeAsAllowedIsRead() throws IOException {
    setLength(folder.resolve("config.json"), 4 << 20);
    assertEquals(4 << 20, read("config.json").length);
  }

  @Test
  void aFolderIsNoFile() throws IOException {
    Files.createDirectory(folder.resolve("config.json"));
    refused("config.json", "is no regular file; needed: a file");
  }

  @ParameterizedTest
  @ValueSource(strings = {"/dev/zero", "/dev/null"})
  void aDeviceIsNoFile(String device) throws IOException {
    assumeTrue(Files.exists(Path.of(device)), "this system has no " + device);
    Files.createSymbolicLink(folder.resolve("config.json"), Path.of(device));
    refused("config.json", "is no regular file; needed: a file");
  }

  /** Opening a pipe that nobody writes to waits for ever. */
  @Test
  void aPipeIsNoFile() throws Exception {
    Path pipe = folder.resolve("config.json");
    try {
      Process mkfifo = new ProcessBuilder("mkfifo", pipe.toString()).start();
      assumeTrue(mkfifo.waitFor() == 0, "mkfifo made no pipe");
    } catch (IOException e) {
      assumeTrue(false, "this system has no mkfifo");
    }
    refused("config.json", "is no regular file; needed: a file");
  }
}
