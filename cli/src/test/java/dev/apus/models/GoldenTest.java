package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.ModelOptions;
import dev.apus.core.verify.Verification;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
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
   * products to TF32, and PaTH's maps to FP16. The formulas in double precision are as far away
   * from them, at most 8e-3, and 3e-6 from here.
   */
  private static final Map<String, Double> ROUGHER =
      Map.of("fla-forgetting_transformer", 5e-3, "fla-path_attn", 2e-2, "fla-rwkv7", 2.5e-3);

  private static final AtomicInteger COMMITTED = new AtomicInteger();
  private static final AtomicInteger SHARED = new AtomicInteger();

  static Stream<Path> committed() throws URISyntaxException, IOException {
    return folders(Path.of(GoldenTest.class.getResource("/goldens").toURI()));
  }

  /** Those of the shared folder whose families this project knows; not every config has one. */
  static Stream<Path> shared() throws IOException {
    Path folder = Shared.folder();
    if (folder == null) {
      return Stream.empty();
    }
    List<Path> known =
        Stream.concat(TinyModels.FAMILIES.stream(), TinyModels.ENCODER_FAMILIES.stream())
            .filter(family -> !TinyModels.WITHOUT_GOLDEN.contains(family))
            .map(folder.resolve("goldens/models")::resolve)
            .filter(Files::isDirectory)
            .toList();
    Stream<Path> fables =
        Stream.of("fable-dense", "fable-hybrid", "fable-ssm")
            .map(folder.resolve("models")::resolve);
    return Stream.concat(known.stream(), fables);
  }

  private static Stream<Path> folders(Path parent) throws IOException {
    try (Stream<Path> folders = Files.list(parent)) {
      return folders.sorted().toList().stream();
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
    boolean encoder = TinyModels.ENCODERS.contains(folder.getFileName().toString());
    assertEquals(
        encoder, verification.greedyTokens() == 0, "whether the reference continued the prompt");
  }

  @AfterAll
  static void sayHowManyRan() {
    System.out.printf(
        "goldens: %d of the project and %d of the shared folder agree%n",
        COMMITTED.get(), SHARED.get());
  }
}
