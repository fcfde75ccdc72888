package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.RandomCheckpoint;
import dev.apus.core.Session;
import dev.apus.core.weight.Placement;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.matmul.Products;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Whole models whose four-bit weights meet whole numbers. */
class IntegerProductsTest {

  private static final int[] TOKENS = TinyModels.tokens(19, 5);

  @TempDir Path temporary;
  private Path file;

  @BeforeEach
  void write() throws IOException {
    file = temporary.resolve("model.gguf");
    RandomCheckpoint.of(TinyModels.config("llama"), ModelOptions.standard())
        .writeGguf(file, WeightFormat.Q4_0, 7);
  }

  private float[][] logits(ModelOptions options, boolean atOnce) {
    try (Model model = Model.load(file, options);
        Session session = model.newSession(TOKENS.length)) {
      if (atOnce) {
        return session.score(TOKENS);
      }
      return Arrays.stream(TOKENS)
          .mapToObj(token -> session.score(token)[0])
          .toArray(float[][]::new);
    }
  }

  @Test
  void thePromptAndSingleTokensAndEveryWayToComputeGiveTheSameBits() {
    ModelOptions integer =
        ModelOptions.standard().withProducts(Products.INTEGER).withoutEasing().withThreads(2);
    float[][] expected = logits(integer, true);
    var scalar = integer.withKernels(Kernels.scalar().with(Products.INTEGER));
    for (ModelOptions options :
        List.of(
            integer,
            integer.withThreads(1),
            integer.withWeights(Placement.MAPPED),
            scalar,
            ModelOptions.standard().withProducts(Products.INTEGER))) {
      assertArrayEquals(expected, logits(options, true));
      assertArrayEquals(expected, logits(options, false));
    }
  }

  @Test
  void roundingChangesLittleAndOnlyIfAsked() {
    ModelOptions options = ModelOptions.standard();
    float[][] exact = logits(options, true);
    assertArrayEquals(exact, logits(options.withProducts(Products.EXACT), true));
    float[][] integer = logits(options.withProducts(Products.INTEGER), true);
    assertFalse(Arrays.deepEquals(exact, integer));
    double change = 0;
    double size = 0;
    for (int t = 0; t < exact.length; t++) {
      for (int i = 0; i < exact[t].length; i++) {
        change += Math.pow(integer[t][i] - exact[t][i], 2);
        size += Math.pow(exact[t][i], 2);
      }
    }
    assertTrue(Math.sqrt(change / size) < 0.05, () -> "logits change");
  }
}
