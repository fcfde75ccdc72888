package dev.apus.models;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertThrows;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.RandomCheckpoint;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.TensorFile;
import dev.apus.core.model.Architecture;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A checkpoint that is written from a seed holds the model that is made of the seed. */
class RandomCheckpointTest {

  private static final long SEED = 3;

  /**
   * Those that use one norm for two parts have only its first draw in the file; what BitNet reads
   * is ternary, and not what was drawn.
   */
  static final List<String> families =
      TinyModels.ALL_FAMILIES.stream()
          .filter(
              family ->
                  !List.of("cohere2", "doge-moe", "falcon", "fla-bitnet", "minimax")
                      .contains(family))
          .toList();

  /**
   * Logarithms of decays, scaled norms, and Llama 3's rule as a table of factors, are rounded once
   * more.
   */
  private static final List<String> ROUNDED =
      List.of(
          "bamba",
          "falcon_h1",
          "falcon_mamba",
          "fla-comba",
          "fla-gated_deltanet",
          "fla-kda",
          "fla-log_linear_mamba2",
          "fla-mom",
          "granite4-dense",
          "granitemoehybrid",
          "kimi_linear",
          "jamba",
          "llama3-rope",
          "longcat_flash",
          "mamba",
          "mamba-original",
          "mamba2",
          "mamba2-original",
          "nemotron_h",
          "olmo_hybrid",
          "plaid",
          "qwen3_5",
          "qwen3_5_moe",
          "qwen3_next",
          "rwkv4",
          "zamba",
          "zamba2");

  static final List<String> ggufFamilies =
      Stream.concat(
              GgufModelsTest.written.stream(), Stream.of("llama3-rope", "mistral", "ministral"))
          .toList();

  @TempDir private Path temporary;

  @ParameterizedTest
  @FieldSource("families")
  void aFolderHoldsTheModelOfItsSeed(String family) throws IOException {
    Path folder = temporary.resolve(family);
    checkpoint(family).writeFolder(folder, WeightFormat.F32, SEED);
    assertSame(family, ModelLogits.of(folder));
  }

  @ParameterizedTest
  @FieldSource("ggufFamilies")
  void aGgufFileHoldsTheModelOfItsSeed(String family) throws IOException {
    Path file = temporary.resolve("model.gguf");
    checkpoint(family).writeGguf(file, WeightFormat.F32, SEED);
    assertSame(family, ModelLogits.of(file));
  }

  @ParameterizedTest
  @EnumSource
  void everyFormatHoldsTheModelOfItsSeed(WeightFormat format) throws IOException {
    Architecture wide = Architecture.read(Config.parse("wide", wideDocument()));
    Path file = temporary.resolve("model.gguf");
    RandomCheckpoint.of(Config.parse("wide", wideDocument()), ModelOptions.standard())
        .writeGguf(file, format, SEED);
    try (Model model = Model.random(wide, SEED, format, ModelOptions.standard())) {
      assertSameBits(ModelLogits.of(model), ModelLogits.of(file));
    }
  }

  /** A document as a person may write it, with rows that divide into the largest blocks. */
  private static byte[] wideDocument() {
    return """
    {"family": "by hand", "vocabulary": 300, "width": 256, "context": 64,
     "embedding": {}, "norm": {"epsilon": 1e-5}, "head": {"tied": true},
     "layers": [{"repeat": 2, "steps": [
       {"norm": {"epsilon": 1e-5},
        "mixer": {"type": "attention", "heads": 4, "kvHeads": 2, "headDim": 64,
                  "rope": {"theta": 10000.0, "dims": 64}}},
       {"norm": {"epsilon": 1e-5},
        "channel": {"type": "gated-mlp", "inner": 512, "activation": "silu"}}]}]}
    """
        .getBytes(UTF_8);
  }

  @ParameterizedTest
  @EnumSource(names = {"F16", "BF16", "Q8_0", "Q4_0"})
  void aFolderOfAnyFormatOpens(WeightFormat format) throws IOException {
    Path folder = temporary.resolve("folder");
    checkpoint("qwen3_next").writeFolder(folder, format, SEED);
    boolean published = format.blockLength() == 1;
    assertEquals(published, Files.exists(folder.resolve("model.safetensors")));
    assertEquals(!published, Files.exists(folder.resolve("model.gguf")));
    assertEquals(ModelLogits.TOKENS, ModelLogits.of(folder).length);
  }

  static Stream<Path> goldens() throws IOException, URISyntaxException {
    return Stream.concat(GoldenTest.committed(), GoldenTest.shared())
        .filter(
            folder -> {
              // The reference cuts the joined convolution of OLMo Hybrid into thirds, and what the
              // heads of Zamba have into as many rows, and calls the dense layer of Kimi Linear
              // like experts, unlike the published checkpoint; it writes matrices of LongCat's
              // experts that compute nothing.
              String name = folder.getFileName().toString();
              return TinyModels.ALL_FAMILIES.contains(name)
                  && !List.of("olmo_hybrid", "kimi_linear", "longcat_flash", "zamba")
                      .contains(name);
            });
  }

  /** Names and shapes are those that the reference writes. */
  @ParameterizedTest
  @MethodSource("goldens")
  void theTensorsAreThoseOfTheReference(Path golden) throws IOException {
    Path folder = temporary.resolve("folder");
    RandomCheckpoint.of(Config.read(golden.resolve("config.json")), ModelOptions.standard())
        .writeFolder(folder, WeightFormat.BF16, SEED);
    try (TensorFile expected = Safetensors.openFolder(golden);
        TensorFile found = Safetensors.openFolder(folder)) {
      assertEquals(shapes(expected), shapes(found));
    }
  }

  /**
   * Without the powers of MiniMax's decays and the angles and levels of diffusion transformers,
   * which the references save though they are constants, without poolers and what sees images,
   * which nothing here reads, and without the bias of Reformer's head, which its reference writes
   * and does not add.
   */
  private static Map<String, List<Long>> shapes(TensorFile file) {
    Map<String, List<Long>> shapes = new TreeMap<>();
    file.tensors().forEach((name, tensor) -> shapes.put(name, tensor.shape()));
    shapes.keySet().removeIf(name -> name.matches(".*\\.(slope_rate|[a-z]+_decay|pooler\\..*)"));
    shapes.keySet().removeIf(name -> name.matches("(.*\\.)?rotary_emb\\.inv_freq|sampling_eps_.*"));
    shapes
        .keySet()
        .removeIf(name -> name.matches("model\\.encoder\\.(vision_tower|embed_vision).*"));
    boolean reformer = shapes.containsKey("reformer.encoder.layer_norm.weight");
    shapes.keySet().removeIf(name -> reformer && name.equals("lm_head.bias"));
    return shapes;
  }

  @Test
  void anArchitectureHasNoFolder() {
    Config document = Config.parse("wide.json", wideDocument());
    var checkpoint = RandomCheckpoint.of(document, ModelOptions.standard());
    var e =
        assertThrows(
            ConfigException.class,
            () -> checkpoint.writeFolder(temporary.resolve("x"), WeightFormat.F32, SEED));
    assertEquals(
        "wide.json: is an architecture, for which there is no config.json; a GGUF file can be"
            + " written",
        e.getMessage().replaceFirst(":1:", ":"));
  }

  private static RandomCheckpoint checkpoint(String family) {
    return RandomCheckpoint.of(TinyModels.config(family), ModelOptions.standard());
  }

  private static void assertSame(String family, float[][] found) {
    Architecture architecture = TinyModels.architecture(family);
    ModelOptions options = ModelOptions.standard();
    try (Model model = Model.random(architecture, SEED, WeightFormat.F32, options)) {
      float[][] expected = ModelLogits.of(model);
      if (!ROUNDED.contains(family)) {
        assertSameBits(expected, found);
        return;
      }
      for (int row = 0; row < expected.length; row++) {
        assertArrayEquals(expected[row], found[row], 1e-4f, "token " + row);
      }
    }
  }

  private static void assertSameBits(float[][] expected, float[][] found) {
    for (int row = 0; row < expected.length; row++) {
      assertArrayEquals(expected[row], found[row], "token " + row);
    }
  }
}
