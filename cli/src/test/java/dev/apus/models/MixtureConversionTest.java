package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.RandomCheckpoint;
import dev.apus.core.Session;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.FormatException;
import dev.apus.core.routing.RouteTrace;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.moe.convert.MixtureConversion;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Mixtures that must be the models they were made of. */
class MixtureConversionTest {

  private static final int[] TOKENS = TinyModels.tokens(29, 4);

  @TempDir private Path folder;

  private Path dense(String family, WeightFormat format, long seed) throws IOException {
    Path path = folder.resolve(family + "-" + format + seed);
    RandomCheckpoint.of(TinyModels.config(family), ModelOptions.standard())
        .writeFolder(path, format, seed);
    return path;
  }

  private static float[][] logits(Path path) {
    try (Model model = Model.load(path);
        Session session = model.newSession(TinyModels.LIMIT)) {
      return session.score(TOKENS);
    }
  }

  /** The largest deviation in shares of the spread of the logits. */
  private static double deviation(float[][] expected, float[][] found) {
    double largest = 0;
    double squares = 0;
    int count = 0;
    for (int i = 0; i < expected.length; i++) {
      for (int j = 0; j < expected[i].length; j++) {
        largest = Math.max(largest, Math.abs(expected[i][j] - found[i][j]));
        squares += (double) expected[i][j] * expected[i][j];
        count++;
      }
    }
    return largest / Math.sqrt(squares / count);
  }

  @ParameterizedTest
  @CsvSource({"llama,F32", "mistral,F32", "qwen3,F32", "olmo2,F32", "llama,BF16"})
  void aSplitModelWhoseExpertsAreAllAskedIsTheModel(String family, WeightFormat format)
      throws IOException {
    Path dense = dense(family, format, 1);
    Path mixture = folder.resolve("split");
    MixtureConversion.split(dense, mixture, 4, 4, 3);
    assertTrue(deviation(logits(dense), logits(mixture)) < 1e-5);
  }

  @Test
  void fewerExpertsAreFurtherAway() throws IOException {
    Path dense = dense("llama", WeightFormat.F32, 1);
    float[][] expected = logits(dense);
    double before = 0;
    for (int top = 4; top > 0; top--) {
      Path mixture = folder.resolve("top" + top);
      MixtureConversion.split(dense, mixture, 4, top, 3);
      double deviation = deviation(expected, logits(mixture));
      assertTrue(deviation > before, top + " of 4: " + deviation);
      before = deviation;
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama", "qwen3", "olmo2"})
  void anUpcycledModelIsTheModelWhoeverIsAsked(String family) throws IOException {
    Path dense = dense(family, WeightFormat.F32, 1);
    Path mixture = folder.resolve("upcycled");
    MixtureConversion.upcycle(dense, mixture, 5, 2, 9);
    assertTrue(deviation(logits(dense), logits(mixture)) < 1e-5);
    RouteTrace trace = new RouteTrace();
    try (Model model = Model.load(mixture);
        Session session = model.newSession(TinyModels.LIMIT)) {
      session.tellRoutes(trace);
      session.append(TOKENS);
      session.logits();
    }
    assertTrue(trace.layer(0).used() > 2, "a router that knows nothing spreads tokens");
  }

  @ParameterizedTest
  @ValueSource(strings = {"mistral", "olmo2"})
  void aModelMergedWithItselfIsTheModel(String family) throws IOException {
    Path dense = dense(family, WeightFormat.F32, 1);
    Path mixture = folder.resolve("merged");
    MixtureConversion.merge(List.of(dense, dense, dense), mixture);
    assertTrue(deviation(logits(dense), logits(mixture)) < 1e-5);
  }

  @Test
  void modelsThatDifferOutsideTheirBlocksAreNotMerged() throws IOException {
    Path one = dense("llama", WeightFormat.F32, 1);
    Path other = dense("llama", WeightFormat.F32, 2);
    Path to = folder.resolve("merged");
    var thrown =
        assertThrows(FormatException.class, () -> MixtureConversion.merge(List.of(one, other), to));
    assertTrue(thrown.getMessage().contains("may differ in their"), thrown.getMessage());
    assertFalse(Files.exists(to));
  }

  @ParameterizedTest
  @CsvSource({"3,2", "4,5", "4,0", "1,1", "0,0"})
  void numbersThatDoNotFitAreRefused(int experts, int top) throws IOException {
    Path dense = dense("llama", WeightFormat.F32, 1);
    Path to = folder.resolve("split");
    assertThrows(
        IllegalArgumentException.class, () -> MixtureConversion.split(dense, to, experts, top, 0));
    assertFalse(Files.exists(to));
  }

  @Test
  void familiesWithoutAMixtureAreRefused() throws IOException {
    Path gpt2 = dense("gpt2", WeightFormat.F32, 1);
    var thrown =
        assertThrows(
            ConfigException.class,
            () -> MixtureConversion.upcycle(gpt2, folder.resolve("no"), 4, 2, 0));
    assertTrue(thrown.getMessage().contains("model_type=gpt2 has no mixture"), thrown.toString());
  }

  @Test
  void weightsInBlocksAreRefused() throws IOException {
    Path blocks = dense("llama", WeightFormat.Q8_0, 1);
    Path to = folder.resolve("no");
    var thrown =
        assertThrows(FormatException.class, () -> MixtureConversion.split(blocks, to, 4, 2, 0));
    assertTrue(thrown.getMessage().contains("quantise"), thrown.getMessage());
  }
}
