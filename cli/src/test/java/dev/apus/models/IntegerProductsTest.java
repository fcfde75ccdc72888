package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.RandomCheckpoint;
import dev.apus.core.Session;
import dev.apus.core.config.Config;
import dev.apus.core.weight.Placement;
import dev.apus.kernels.Kernels;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.matmul.Products;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Whole models whose weights of four to six bits meet whole numbers. */
class IntegerProductsTest {

  private static final int[] TOKENS = TinyModels.tokens(19, 5);

  @TempDir Path temporary;
  private Path file;

  private void write(WeightFormat format) throws IOException {
    file = temporary.resolve("model.gguf");
    String json = new String(TinyModels.resource("/configs/llama.json"), StandardCharsets.UTF_8);
    if (format.blockLength() == 256) {
      json =
          json.replace("\"hidden_size\": 64", "\"hidden_size\": 256")
              .replace("\"intermediate_size\": 112", "\"intermediate_size\": 256");
    }
    Config config = Config.parse("llama.json", json.getBytes(StandardCharsets.UTF_8));
    RandomCheckpoint.of(config, ModelOptions.standard()).writeGguf(file, format, 7);
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

  @ParameterizedTest
  @EnumSource(names = {"Q4_0", "Q5_K", "Q6_K", "MXFP4"})
  void thePromptAndSingleTokensAndEveryWayToComputeGiveTheSameBits(WeightFormat format)
      throws IOException {
    write(format);
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

  @ParameterizedTest
  @EnumSource(names = {"Q4_0", "Q5_K", "Q6_K", "MXFP4"})
  void roundingChangesLittleAndOnlyIfAsked(WeightFormat format) throws IOException {
    write(format);
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
