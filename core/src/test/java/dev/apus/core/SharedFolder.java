package dev.apus.core;

import static org.junit.jupiter.api.Assumptions.assumeTrue;

import java.nio.file.Files;
import java.nio.file.Path;

/**
 * The folder of recorded answers that is too large to be part of the project. It lies beside the
 * project's root as {@code shared}, or where {@code -Dapus.shared=PATH} says; tests that need it
 * are skipped where it is absent.
 */
public final class SharedFolder {

  private static final String PROPERTY = "apus.shared";

  private SharedFolder() {}

  /** A path in the shared folder; skips the running test where there is none. */
  public static Path require(String path) {
    Path found = root().resolve(path);
    assumeTrue(
        Files.exists(found),
        () -> found + " is absent; -D" + PROPERTY + "=PATH names another shared folder");
    return found;
  }

  private static Path root() {
    String named = System.getProperty(PROPERTY);
    if (named != null) {
      return Path.of(named);
    }
    Path start = Path.of("").toAbsolutePath();
    for (Path folder = start; folder != null; folder = folder.getParent()) {
      Path shared = folder.resolve("shared");
      if (Files.isDirectory(shared.resolve("goldens"))) {
        return shared;
      }
    }
    return start.resolve("shared");
  }
}
