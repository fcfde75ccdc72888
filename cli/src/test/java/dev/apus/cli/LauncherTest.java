package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/** How the launcher finds a JDK. */
@DisabledOnOs(OS.WINDOWS)
@Timeout(value = 60, unit = TimeUnit.SECONDS)
class LauncherTest {

  private static final Path LAUNCHER = Path.of("..", "apus").toAbsolutePath().normalize();

  @TempDir private Path folder;

  private record Run(int exitCode, String out, String err) {}

  /** Asks a launcher for its JDK, with nothing in the environment but these. */
  private Run run(String launcher, String... environment) throws Exception {
    ProcessBuilder builder = new ProcessBuilder("/bin/sh", launcher, "--java-home");
    builder.directory(folder.toFile());
    String path = builder.environment().get("PATH");
    builder.environment().clear();
    builder.environment().put("PATH", path);
    for (int i = 0; i < environment.length; i += 2) {
      builder.environment().put(environment[i], environment[i + 1]);
    }
    Path err = folder.resolve("err");
    Process process = builder.redirectError(err.toFile()).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    return new Run(process.waitFor(), out.strip(), Files.readString(err).strip());
  }

  /** What looks like a JDK, at a place with a space in it. */
  private Path jdk(String name, String version, String modules) throws IOException {
    Path home = folder.resolve(name + " home");
    Path compiler = Files.createDirectories(home.resolve("bin")).resolve("javac");
    Files.writeString(compiler, "");
    assertTrue(compiler.toFile().setExecutable(true));
    Files.writeString(
        home.resolve("release"),
        "JAVA_VERSION=\"" + version + "\"\nMODULES=\"java.base " + modules + "\"");
    return home;
  }

  @Test
  void takesTheJdkThatIsNamed() throws Exception {
    Path named = jdk("named", "25.0.3", "jdk.incubator.vector");
    Path other = jdk("other", "25", "jdk.incubator.vector");
    Run run = run(LAUNCHER.toString(), "APUS_JAVA_HOME", "" + named, "JAVA_HOME", "" + other);
    assertEquals(new Run(0, named.toString(), ""), run);
  }

  @Test
  void refusesANamedJdkThatIsTooOldOrHasNoVectors() throws Exception {
    for (Path home :
        new Path[] {
          jdk("old", "24.0.1", "jdk.incubator.vector"),
          jdk("plain", "25.0.1", "java.logging"),
          folder.resolve("nowhere")
        }) {
      Run run = run(LAUNCHER.toString(), "APUS_JAVA_HOME", home.toString());
      assertEquals(
          new Run(1, "", "apus: APUS_JAVA_HOME=" + home + " is not a JDK 25 or later"), run);
    }
  }

  @Test
  void takesTheDefaultJdkOnlyIfItWillDo() throws Exception {
    Path old = jdk("old", "21.0.2", "jdk.incubator.vector");
    Path newer = jdk("newer", "26", "jdk.incubator.vector");
    assertEquals(newer.toString(), run(LAUNCHER.toString(), "JAVA_HOME", "" + newer).out());
    Run run = run(LAUNCHER.toString(), "JAVA_HOME", old.toString());
    assertTrue(!run.out().equals(old.toString()), run.out());
  }

  @Test
  void followsLinksToTheJdkOnThePath() throws Exception {
    Path home = jdk("linked", "25.0.4-ea", "jdk.incubator.vector");
    Path java = Files.writeString(home.resolve("bin").resolve("java"), "");
    assertTrue(java.toFile().setExecutable(true));
    Path bin = Files.createDirectories(folder.resolve("bin"));
    Files.createSymbolicLink(folder.resolve("first"), java);
    Files.createSymbolicLink(bin.resolve("java"), Path.of("..", "first"));
    Run run = run(LAUNCHER.toString(), "PATH", bin + ":" + System.getenv("PATH"));
    assertEquals(new Run(0, home.toString(), ""), run);
  }

  @Test
  void isFoundByALink() throws Exception {
    Path home = jdk("named", "25", "jdk.incubator.vector");
    Files.createSymbolicLink(folder.resolve("link"), LAUNCHER);
    assertEquals(home.toString(), run("link", "APUS_JAVA_HOME", home.toString()).out());
  }
}
