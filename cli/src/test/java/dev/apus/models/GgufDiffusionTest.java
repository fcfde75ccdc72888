package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Evaluator;
import dev.apus.core.Model;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.TensorFile;
import dev.apus.core.model.Diffusion;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** GGUF files of diffusion models give the same bits as the checkpoints that they were made of. */
class GgufDiffusionTest {

  private static final int TOKENS = 40;

  @TempDir private Path temporary;

  @ParameterizedTest
  @ValueSource(strings = {"dream", "llada", "lladamoe"})
  void theLogitsHaveTheSameBits(String family) throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve(family), family, 11);
    Path file = converted(folder);
    try (Model expected = Model.load(folder);
        Model found = Model.load(file)) {
      assertEquals(expected.architecture(), found.architecture());
      assertEquals(191, found.architecture().diffusion().mask());
      float[][] logits = logits(expected);
      float[][] others = logits(found);
      for (int row = 0; row < TOKENS; row++) {
        assertArrayEquals(logits[row], others[row], "token " + row);
      }
    }
  }

  /** What files that do not name their mask were made of has more tokens than this one. */
  @Test
  void aMaskBeyondTheVocabularyIsRefused() throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve("dream"), "dream", 11);
    byte[] file = Files.readAllBytes(converted(folder));
    Path other = temporary.resolve("other.gguf");
    Files.write(
        other, renamed(file, "tokenizer.ggml.mask_token_id", "tokenizer.ggml.musk_token_id"));
    assertThrows(ConfigException.class, () -> Model.load(other).close());
    Files.write(other, renamed(file, "diffusion.shift_logits", "diffusion.shaft_logits"));
    try (Model model = Model.load(other)) {
      Diffusion diffusion = model.architecture().diffusion();
      assertTrue(diffusion.shifted(), "Dream shifts if its file does not say");
    }
    Files.write(other, renamed(file, "dream.attention.causal", "dream.attention.casual"));
    assertThrows(ConfigException.class, () -> Model.load(other).close());
  }

  private static byte[] renamed(byte[] file, String from, String to) {
    String text = new String(file, StandardCharsets.ISO_8859_1);
    assertTrue(text.contains(from), from);
    return text.replace(from, to).getBytes(StandardCharsets.ISO_8859_1);
  }

  private static Path converted(Path folder) throws IOException {
    Path file = folder.resolveSibling("made.gguf");
    try (TensorFile tensors = Safetensors.openFolder(folder)) {
      Config config = Config.read(folder.resolve("config.json"));
      GgufWriter writer = GgufConverter.convert(config, tensors, WeightFormat.BF16);
      writer.write(file);
    }
    return file;
  }

  private static float[][] logits(Model model) {
    try (Evaluator text = Evaluator.of(model, TOKENS)) {
      int[] all = IntStream.range(0, TOKENS).toArray();
      int vocabulary = model.architecture().vocabulary();
      float[][] logits = new float[TOKENS][];
      text.logits(
          text.read(TinyModels.tokens(TOKENS, 5), all, () -> false),
          (row, worker, values, at) ->
              logits[row] = Arrays.copyOfRange(values, at, at + vocabulary));
      return logits;
    }
  }
}
