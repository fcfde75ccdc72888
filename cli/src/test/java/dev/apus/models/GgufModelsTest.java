package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;

import dev.apus.core.Model;
import dev.apus.core.Session;
import dev.apus.core.config.Config;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.TensorFile;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;
import org.junit.jupiter.params.provider.ValueSource;

/** A GGUF file gives the same bits as the checkpoint that it was made of. */
class GgufModelsTest {

  private static final int TOKENS = 48;

  @TempDir private Path temporary;

  static Stream<Arguments> exact() {
    return Stream.of(
            "llama",
            "llama-linear-rope-mqa",
            "llama-yarn",
            "mixtral",
            "qwen2",
            "qwen3",
            "qwen3_moe",
            "gemma2",
            "gemma3")
        .flatMap(
            family ->
                Stream.of(WeightFormat.F32, WeightFormat.F16, WeightFormat.BF16)
                    .map(format -> Arguments.of(family, format)));
  }

  @ParameterizedTest
  @MethodSource("exact")
  void theLogitsAreTheSameBits(String family, WeightFormat format) throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve("hf"), family, 11);
    float[][] expected = logits(folder, TOKENS);
    float[][] found = logits(converted(folder, format), TOKENS);
    System.out.println("DEV " + family + " " + format + " " + deviation(expected, found));
    for (int row = 0; row < expected.length; row++) {
      assertArrayEquals(expected[row], found[row], family + ", token " + row);
    }
  }

  @ParameterizedTest
  @ValueSource(strings = {"llama3-rope", "mistral"})
  void dev(String family) throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve("hf"), family, 11);
    for (int n : new int[] {16, 48, 400}) {
      float[][] expected = logits(folder, n);
      float[][] found = logits(converted(folder, WeightFormat.BF16), n);
      System.out.println("DEV " + family + " " + n + " " + deviation(expected, found));
    }
  }

  /** Written beside the folder, by the config and the tensors in it. */
  private static Path converted(Path folder, WeightFormat format) throws IOException {
    Path file = folder.resolveSibling(format + ".gguf");
    try (TensorFile tensors = Safetensors.openFolder(folder)) {
      Config config = Config.read(folder.resolve("config.json"));
      GgufConverter.convert(config, tensors, format).write(file);
    }
    return file;
  }

  private static float[][] logits(Path checkpoint, int tokens) {
    try (Model model = Model.load(checkpoint);
        Session session = model.newSession(tokens)) {
      return session.score(TinyModels.tokens(tokens, 5));
    }
  }

  /** The largest difference, by the spread of what is expected. */
  private static double deviation(float[][] expected, float[][] found) {
    double largest = 0;
    double squares = 0;
    for (int row = 0; row < expected.length; row++) {
      for (int i = 0; i < expected[row].length; i++) {
        largest = Math.max(largest, Math.abs((double) expected[row][i] - found[row][i]));
        squares += (double) expected[row][i] * expected[row][i];
      }
    }
    return largest / Math.sqrt(squares / (expected.length * expected[0].length));
  }
}
