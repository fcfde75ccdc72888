package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.family.Families;
import dev.apus.core.verify.Verification;
import dev.apus.diffusion.RecordedDecode;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Small checkpoints against the answers of their reference implementations: some that are part of
 * the project, and all that lie in the shared folder, where there is one.
 */
class GoldenTest {

  /** The largest deviation seen on any of them is a hundredth of this. */
  private static final double TOLERANCE = 1e-3;

  /**
   * References that multiply in fewer bits than they say: the kernels of these round the inputs of
   * products to TF32 or FP16, or the maps of PaTH. From their formulas in more bits, the logits are
   * at most 4e-6 away. Doge's keeps any of the tokens that score the same, as equal tokens do in
   * the first layer; one that keeps the earlier is 2e-6 away.
   */
  private static final Map<String, Double> ROUGHER =
      Map.of(
          "doge", 0.5,
          "fla-forgetting_transformer", 5e-3,
          "fla-mesa_net", 1e-2,
          "fla-nsa", 4e-3,
          "fla-path_attn", 2e-2,
          "fla-rwkv7", 2.5e-3);

  /**
   * Checkpoints whose index has so few heads that many scores are 0: which of equal ones are
   * chosen, the reference leaves to a partial sort, whose answer changes with the length of the
   * text, so that its own texts with and without a cache differ. Those of the project have no equal
   * scores.
   */
  private static final Set<String> TIED = Set.of("deepseek_v32", "deepseek_v4", "glm_moe_dsa");

  private static final AtomicInteger COMMITTED = new AtomicInteger();
  private static final AtomicInteger SHARED = new AtomicInteger();
  private static final AtomicInteger UNKNOWN = new AtomicInteger();

  static Stream<Path> committed() throws URISyntaxException, IOException {
    return folders(Path.of(GoldenTest.class.getResource("/goldens").toURI()));
  }

  /** Those of the shared folder whose families this project knows. */
  static Stream<Path> shared() throws IOException {
    Path folder = Shared.folder();
    if (folder == null) {
      return Stream.empty();
    }
    Families families = Families.installed();
    List<Path> all =
        Stream.of("goldens/models", "goldens/diffusion", "models")
            .map(folder::resolve)
            .filter(Files::isDirectory)
            .flatMap(GoldenTest::folders)
            .filter(golden -> Files.exists(golden.resolve("expected.json")))
            .filter(golden -> Files.exists(golden.resolve("config.json")))
            .filter(golden -> !TIED.contains(golden.getFileName().toString()))
            .toList();
    List<Path> known = all.stream().filter(golden -> isKnown(golden, families)).toList();
    UNKNOWN.set(all.size() - known.size());
    return known.stream();
  }

  /** A family that is not supported is refused by name; any other fault is one of the test. */
  private static boolean isKnown(Path golden, Families families) {
    Config config = Config.read(golden.resolve("config.json"));
    try {
      return families.of(config) != null;
    } catch (ConfigException e) {
      return false;
    }
  }

  private static Stream<Path> folders(Path parent) {
    try (Stream<Path> folders = Files.list(parent)) {
      return folders.sorted().toList().stream();
    } catch (IOException e) {
      throw new UncheckedIOException(e);
    }
  }

  @ParameterizedTest
  @MethodSource
  void committed(Path folder) {
    check(folder);
    COMMITTED.incrementAndGet();
  }

  @ParameterizedTest(allowZeroInvocations = true)
  @MethodSource
  void shared(Path folder) {
    check(folder);
    SHARED.incrementAndGet();
  }

  private static void check(Path folder) {
    Verification verification = Verification.of(folder, ModelOptions.standard().withThreads(2));
    assertEquals(-1, verification.firstDifference(), "the first greedy token that differs");
    assertTrue(
        verification.deviation()
            <= ROUGHER.getOrDefault(folder.getFileName().toString(), TOLERANCE),
        () -> "the logits deviate by " + verification.deviation() + " of their spread");
    if (Config.read(folder.resolve("expected.json")).has("decodes")) {
      try (Model model = Model.load(folder, ModelOptions.standard().withThreads(2))) {
        List<RecordedDecode> decodes = RecordedDecode.all(model, folder.resolve("expected.json"));
        assertFalse(decodes.isEmpty(), "the reference decoded nothing");
        assertEquals(
            List.of(), decodes.stream().filter(decode -> !decode.agrees()).toList(), "decodes");
      }
      return;
    }
    // The shared answers of DiffusionGemma are those of one step.
    String name = folder.getFileName().toString();
    boolean single = TinyModels.ENCODERS.contains(name) || name.equals("diffusion_gemma");
    assertEquals(
        single, verification.greedyTokens() == 0, "whether the reference continued the prompt");
  }

  @AfterAll
  static void sayHowManyRan() {
    System.out.printf(
        "goldens: %d of the project and %d of the shared folder agree, %d are of no family here%n",
        COMMITTED.get(), SHARED.get(), UNKNOWN.get());
  }
}
