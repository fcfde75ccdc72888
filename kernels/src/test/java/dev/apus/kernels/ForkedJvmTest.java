package dev.apus.kernels;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The choice of kernels in JVMs that were started with other options than this one. */
class ForkedJvmTest {

  /** Prints the set that was chosen and its warnings, or the error, twice. */
  static final class Main {
    public static void main(String[] args) {
      for (int i = 0; i < 2; i++) {
        try {
          System.out.println(Kernels.chosen().name() + " " + Kernels.report().warnings());
        } catch (IllegalStateException | IllegalArgumentException e) {
          System.out.println(e);
        }
      }
    }
  }

  @Test
  void withoutTheModuleTheScalarSetIsChosenWithAWarning() throws Exception {
    List<String> lines = run();
    assertTrue(lines.getFirst().startsWith("scalar ["), lines::toString);
    assertTrue(
        lines.getFirst().contains("add --add-modules jdk.incubator.vector"), lines::toString);
  }

  @Test
  void withoutTheCompilerTheScalarSetIsChosenWithAWarning() throws Exception {
    List<String> lines = run("--add-modules=jdk.incubator.vector", "-XX:TieredStopAtLevel=1");
    assertTrue(lines.getFirst().startsWith("scalar ["), lines::toString);
    assertTrue(lines.getFirst().contains("-XX:TieredStopAtLevel"), lines::toString);
  }

  @Test
  void withTheModuleAndTheCompilerTheVectorSetIsChosen() throws Exception {
    List<String> lines = run("--add-modules=jdk.incubator.vector", "-XX:+UseSerialGC");
    assertTrue(lines.getFirst().startsWith("vector-"), lines::toString);
    assertTrue(lines.getFirst().endsWith("[]"), lines::toString);
  }

  @Test
  void anImpossibleChoiceFailsEveryTimeItIsAskedFor() throws Exception {
    List<String> lines = run("-Dapus.kernels=vector");
    assertTrue(lines.getFirst().startsWith("java.lang.IllegalStateException: apus.kernels=vector"));
    assertEquals(lines.get(0), lines.get(1));
    lines = run("-Dapus.kernels=fast");
    assertTrue(lines.getFirst().startsWith("java.lang.IllegalArgumentException: system property"));
    assertEquals(lines.get(0), lines.get(1));
  }

  /** The lines that {@link Main} prints in a JVM with these options. */
  private static List<String> run(String... options) throws IOException, InterruptedException {
    List<String> command = new ArrayList<>();
    command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
    command.addAll(List.of(options));
    command.add("-cp");
    command.add(System.getProperty("java.class.path"));
    command.add(Main.class.getName());
    Process process =
        new ProcessBuilder(command).redirectError(ProcessBuilder.Redirect.DISCARD).start();
    String out = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
    assertEquals(0, process.waitFor(), out);
    return out.lines().toList();
  }
}
