package dev.apus.cli;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.family.Families;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.TestReporter;

/**
 * The reference's answers for one checkpoint of each family, and {@code apus verify} on them. They
 * are too large to be part of the project: they lie beside its root in {@code shared}, or where
 * {@code -Dapus.shared=PATH} says.
 */
class GoldensTest {

  private static final String PROPERTY = "apus.shared";

  @TestFactory
  Stream<DynamicTest> everyGoldenOfAKnownFamilyAgrees(TestReporter reporter) throws IOException {
    Path shared = shared();
    assumeTrue(
        Files.isDirectory(shared.resolve("goldens/models")),
        () -> shared + " holds no goldens; -D" + PROPERTY + "=PATH names another folder");
    List<Path> all =
        Stream.concat(folders(shared.resolve("goldens/models")), folders(shared.resolve("models")))
            .toList();
    Families families = Families.installed();
    List<Path> known = all.stream().filter(folder -> isKnown(folder, families)).toList();
    assertTrue(known.size() > 2, "hardly any golden is of a known family: " + known);
    reporter.publishEntry("goldens", known.size() + " of " + all.size() + " verified");
    return known.stream()
        .map(
            folder ->
                DynamicTest.dynamicTest(folder.getFileName().toString(), () -> verify(folder)));
  }

  /**
   * What is asked of answers that were not computed in single precision. MesaNet's came from a
   * kernel that rounds queries, keys and products to half precision, PaTH's rounds its maps so, and
   * the Forgetting Transformer's the inputs of products to TF32; from the same steps in higher
   * precision the logits are at most 4e-6 away.
   */
  private static final Map<String, Double> TOLERANCES =
      Map.of("fla-mesa_net", 1e-2, "fla-forgetting_transformer", 5e-3, "fla-path_attn", 2e-2);

  /** A reference that contradicts itself, as in products of few bits, is held to no more. */
  private static void verify(Path folder) {
    Config expected = Config.read(folder.resolve("expected.json"));
    double own = expected.number("prefix_deviation", 0);
    double tolerance = TOLERANCES.getOrDefault(folder.getFileName().toString(), 1e-3);
    Cli run = Cli.run("verify", "--quiet", "--tolerance", Math.max(tolerance, own), folder);
    assertEquals(0, run.exitCode(), run.out() + run.err());
  }

  /** A family that is not supported yet is refused by name; any other fault is one of the test. */
  private static boolean isKnown(Path folder, Families families) {
    Config config = Config.read(folder.resolve("config.json"));
    try {
      return families.of(config) != null;
    } catch (ConfigException e) {
      return false;
    }
  }

  private static Stream<Path> folders(Path folder) throws IOException {
    try (Stream<Path> children = Files.list(folder)) {
      return children
          .filter(child -> Files.exists(child.resolve("expected.json")))
          .filter(child -> Files.exists(child.resolve("config.json")))
          .sorted()
          .toList()
          .stream();
    }
  }

  private static Path shared() {
    String named = System.getProperty(PROPERTY);
    if (named != null) {
      return Path.of(named);
    }
    Path start = Path.of("").toAbsolutePath();
    return Stream.iterate(start, folder -> folder != null, Path::getParent)
        .map(folder -> folder.resolve("shared"))
        .filter(shared -> Files.isDirectory(shared.resolve("goldens")))
        .findFirst()
        .orElse(start.resolve("shared"));
  }
}
