package dev.apus.models;

import java.nio.file.Files;
import java.nio.file.Path;

/** The folder of recorded answers that is too large to be part of the project. */
final class Shared {

  private Shared() {}

  /**
   * The folder that {@code -Dapus.shared=PATH} names or that lies beside the project's root; null
   * if there is none.
   */
  static Path folder() {
    String named = System.getProperty("apus.shared");
    if (named != null) {
      return Path.of(named);
    }
    for (Path at = Path.of("").toAbsolutePath(); at != null; at = at.getParent()) {
      if (Files.isDirectory(at.resolve("shared/goldens"))) {
        return at.resolve("shared");
      }
    }
    return null;
  }
}
