package dev.apus.models;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * Checkpoints with a reference implementation's answers, which are too large to be part of the
 * project. They lie beside its root in {@code shared/goldens/models}, or in the folder that {@code
 * -Dapus.shared=PATH} names instead of {@code shared}.
 */
final class Goldens {

  private Goldens() {}

  /** The folder of a checkpoint; skips the running test where there is none. */
  static Path require(String name) {
    Path start = Path.of("").toAbsolutePath();
    String named = System.getProperty("apus.shared");
    Path shared = named == null ? start.resolve("shared") : Path.of(named);
    for (Path folder = start; named == null && folder != null; folder = folder.getParent()) {
      if (Files.isDirectory(folder.resolve("shared/goldens"))) {
        shared = folder.resolve("shared");
        break;
      }
    }
    Path found = shared.resolve("goldens/models").resolve(name);
    assumeTrue(Files.isDirectory(found), () -> found + " is absent");
    return found;
  }
}
