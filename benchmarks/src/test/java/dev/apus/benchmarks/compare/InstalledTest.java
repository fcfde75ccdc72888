package dev.apus.benchmarks.compare;

import static org.junit.jupiter.api.Assertions.assertEquals;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class InstalledTest {

  @TempDir private Path folder;

  @Test
  void readsNameAndOptions() {
    assertEquals(
        new Installed("ik", Path.of("/opt/bench"), List.of("-fa", "1", "-ot", "a=b")),
        Installed.parse("ik=/opt/bench -fa 1  -ot a=b", "llama.cpp"));
  }

  @Test
  void aPathMayHoldEqualSigns() {
    assertEquals(
        new Installed("llama.cpp", Path.of("/opt/x=y/bench"), List.of()),
        Installed.parse("/opt/x=y/bench", "llama.cpp"));
  }

  @Test
  void whatExistsIsAPathAsAWhole() throws IOException {
    Path spaced = Files.createFile(folder.resolve("my bench"));
    assertEquals(
        new Installed("n", spaced.toAbsolutePath(), List.of()),
        Installed.parse("n=" + spaced, "k"));
  }
}
