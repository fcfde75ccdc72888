package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;
import static org.junit.jupiter.api.Assertions.assertThrows;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.ModelOptions;
import dev.apus.core.RandomCheckpoint;
import dev.apus.core.config.ConfigException;
import dev.apus.kernels.block.WeightFormat;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;

/** Models that no kind of GGUF file can say are refused before anything is written. */
class UnsayableModelsTest {

  @TempDir private Path temporary;

  private static RandomCheckpoint checkpoint(String family) {
    return RandomCheckpoint.of(TinyModels.config(family), ModelOptions.standard());
  }

  @ParameterizedTest
  @FieldSource("beyondGguf")
  void whatNoGgufFileSaysIsRefused(String family) {
    Path file = temporary.resolve("model.gguf");
    var e =
        assertThrows(
            ConfigException.class, () -> checkpoint(family).writeGguf(file, WeightFormat.F32, 3));
    assertEquals(
        "no kind of GGUF file that is known (afmoe, dbrx, deepseek32, dots1, dream, ernie4_5-moe,"
            + " falcon-h1, gemma2, gemma3, glm-dsa, glm4moe, gpt-oss, granitehybrid, hunyuan-moe,"
            + " jamba, kimi-linear, lfm2, lfm2moe, llada, llada-moe, llama, mamba, mamba2,"
            + " nemotron_h, nemotron_h_moe, olmoe, qwen2, qwen2moe, qwen3, qwen35, qwen35moe,"
            + " qwen3moe, qwen3next) can say what a model of the family "
            + checkpoint(family).architecture().family()
            + " is; write a folder instead",
        e.getMessage());
    assertFalse(Files.exists(file));
  }

  /** What a kind of file has no word for. */
  @ParameterizedTest
  @CsvSource({
    "falcon_h1, falcon-h1: it has no word for embedding.scale=1.5",
    "mamba2, mamba2: it has no word for layers.0.steps.0.mixer.norm.over=row",
    "nemotron_h, no word for layers.0.steps.0.mixer.leastStep=0.001",
    "ernie4_5_moe, no word for layers.1.steps.1.channel.leastSum=0.75",
    "hunyuan_v1_moe, no word for layers.1.steps.1.channel.sharedInner=224"
  })
  void whatAKindOfFileCannotSayIsNamed(String family, String reason) {
    Path file = temporary.resolve("model.gguf");
    var e =
        assertThrows(
            ConfigException.class, () -> checkpoint(family).writeGguf(file, WeightFormat.F32, 3));
    assertTrue(e.getMessage().contains(reason), e.getMessage());
  }

  static final List<String> beyondGguf =
      List.of(
          "olmo2",
          "cohere2",
          "falcon",
          "gpt2",
          "smollm3",
          "granite",
          "stablelm",
          "sedd-uniform",
          "plaid",
          "diffusion_gemma");
}
