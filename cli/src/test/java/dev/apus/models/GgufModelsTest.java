package dev.apus.models;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertArrayEquals;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.Session;
import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.TensorFile;
import dev.apus.core.model.Architecture;
import dev.apus.core.verify.Verification;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.FieldSource;
import org.junit.jupiter.params.provider.MethodSource;

/** A GGUF file gives the same bits as the checkpoint that it was made of. */
class GgufModelsTest {

  /** More than the windows are long. */
  private static final int TOKENS = 40;

  /** Those that can be written as well as read. */
  static final List<String> written =
      List.of(
          "llama",
          "llama-linear-rope-mqa",
          "llama-yarn",
          "mixtral",
          "qwen2",
          "qwen2_moe",
          "qwen3",
          "qwen3_moe",
          "gemma2",
          "gemma3",
          "gpt_oss",
          "jamba",
          "lfm2",
          "lfm2_moe",
          "mamba",
          "falcon_mamba",
          "olmoe");

  private static final List<String> hybrids =
      List.of("deepseek_v32", "dots1", "glm4_moe", "kimi_linear", "qwen3_next");

  /** Their value heads lie in another order, so that sums over them have another order, too. */
  static final List<String> reordered = List.of("qwen3_5", "qwen3_5_moe");

  static final List<String> families = Stream.of(written, hybrids).flatMap(List::stream).toList();

  static final List<String> readable =
      Stream.of(families, reordered).flatMap(List::stream).toList();

  @TempDir private Path temporary;

  static Stream<Arguments> familiesAndFormats() {
    return families.stream()
        .flatMap(
            family ->
                Stream.of(WeightFormat.F32, WeightFormat.F16, WeightFormat.BF16)
                    .map(format -> Arguments.of(family, format)));
  }

  @ParameterizedTest
  @MethodSource("familiesAndFormats")
  void theLogitsHaveTheSameBits(String family, WeightFormat format) throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve(family), family, 11);
    assertSameBits(logits(folder, TOKENS), logits(converted(folder, format), TOKENS));
  }

  @ParameterizedTest
  @FieldSource("reordered")
  void valueHeadsInAnotherOrderAreARounding(String family) throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve(family), family, 11);
    Path file = converted(folder, WeightFormat.BF16);
    double deviation = deviation(logits(folder, TOKENS), logits(file, TOKENS));
    assertTrue(deviation > 0 && deviation < 1e-4, "deviation " + deviation);
    String turns = architecture(file).toJson();
    assertEquals(
        architecture(folder).toJson(), turns.replaceAll("\\s*\"sharing\" : \"turns\",", ""));
    assertTrue(turns.contains("\"sharing\" : \"turns\""), turns);
  }

  @ParameterizedTest
  @FieldSource("reordered")
  void asManyValueHeadsAsKeyHeadsKeepTheirOrder(String family) throws IOException {
    String json = new String(TinyModels.resource("/configs/" + family + ".json"), UTF_8);
    byte[] equal =
        json.replaceFirst("\"linear_num_key_heads\": 2", "\"linear_num_key_heads\": 4")
            .getBytes(UTF_8);
    Path folder = TinyCheckpoint.write(temporary.resolve(family), equal, 11);
    Path file = converted(folder, WeightFormat.BF16);
    assertSameBits(logits(folder, TOKENS), logits(file, TOKENS));
    assertEquals(architecture(folder), architecture(file));
  }

  /** Models of experts, with those of their settings that files can say. */
  @ParameterizedTest
  @CsvSource({
    "afmoe, '', ''",
    "dbrx, '', ''",
    "ernie4_5_moe, ',\\s*\"(moe_norm_min|num_nextn_predict_layers)\": [0-9.]+', ''",
    "hunyuan_v1_moe, '(?s)\"rope_scaling\": [^}]*},', ''",
  })
  void filesOfLaterMixturesGiveTheSameBits(String family, String removed, String by)
      throws IOException {
    String json =
        new String(TinyModels.resource("/configs/" + family + ".json"), UTF_8)
            .replaceAll(removed, by)
            .replaceAll("(?s)(\"(moe_topk|num_shared_expert)\": )\\[[^]]*\\]", "$12");
    Path folder = TinyCheckpoint.write(temporary.resolve(family), json.getBytes(UTF_8), 11);
    for (WeightFormat format : List.of(WeightFormat.F32, WeightFormat.BF16)) {
      Path file = converted(folder, format);
      assertSameBits(logits(folder, TOKENS), logits(file, TOKENS));
      assertEquals(architecture(folder), architecture(file));
    }
  }

  @Test
  void biasesAreRearrangedLikeTheirWeights() throws IOException {
    byte[] json =
        """
        {"model_type": "llama", "hidden_size": 36, "num_hidden_layers": 2,
         "num_attention_heads": 6, "num_key_value_heads": 2, "head_dim": 14,
         "intermediate_size": 37, "max_position_embeddings": 64, "vocab_size": 192,
         "rms_norm_eps": 1e-5, "attention_bias": true, "mlp_bias": true,
         "bos_token_id": 1, "eos_token_id": 2, "tie_word_embeddings": true,
         "rope_parameters": {"rope_type": "default", "rope_theta": 500000.0}}
        """
            .getBytes(UTF_8);
    Path folder = TinyCheckpoint.write(temporary.resolve("biased"), json, 11);
    Path file = converted(folder, WeightFormat.F32);
    assertSameBits(logits(folder, TOKENS), logits(file, TOKENS));
    assertEquals(architecture(folder), architecture(file));
  }

  @Test
  void aFileInMemoryIsACheckpointToo() throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve("llama"), "llama", 11);
    byte[] bytes = Files.readAllBytes(converted(folder, WeightFormat.BF16));
    var files =
        new ModelFiles() {

          @Override
          public String name() {
            return "memory";
          }

          @Override
          public byte[] read(String file) {
            return null;
          }

          @Override
          public TensorFile tensors() {
            return Gguf.of("memory", MemorySegment.ofArray(bytes));
          }
        };
    try (Model model = Model.load(files, ModelOptions.standard());
        Session session = model.newSession(TOKENS)) {
      assertSameBits(logits(folder, TOKENS), session.score(TinyModels.tokens(TOKENS, 5)));
    }
  }

  @ParameterizedTest
  @FieldSource("families")
  void theArchitectureIsTheSameDocument(String family) throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve(family), family, 11);
    assertEquals(architecture(folder), architecture(converted(folder, WeightFormat.BF16)));
  }

  /** The factors of the rotation are floats in the file: an error of a rounding for each angle. */
  @Test
  void llama3DeviatesByTheRoundingOfItsFactors() throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve("llama3"), "llama3-rope", 11);
    float[][] expected = logits(folder, TOKENS);
    float[][] found = logits(converted(folder, WeightFormat.BF16), TOKENS);
    double deviation = deviation(expected, found);
    assertTrue(deviation < 1e-5, "deviation " + deviation);
  }

  /** Converters say nothing of Mistral's window, so the bits are the same within it. */
  @Test
  void mistralHasTheSameBitsWithinItsWindow() throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve("mistral"), "mistral", 11);
    int window = TinyModels.config("mistral").positive("sliding_window");
    assertSameBits(logits(folder, window), logits(converted(folder, WeightFormat.BF16), window));
  }

  /** Logits of two models that have nothing in common deviate by about 4. */
  @ParameterizedTest
  @FieldSource("readable")
  void quantizedWeightsStayNear(String family) throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve(family), family, 11);
    float[][] expected = logits(folder, TOKENS);
    float[][] found = logits(converted(folder, WeightFormat.Q8_0), TOKENS);
    double[] deviations = new double[TOKENS];
    for (int row = 0; row < TOKENS; row++) {
      deviations[row] = deviation(new float[][] {expected[row]}, new float[][] {found[row]});
    }
    Arrays.sort(deviations);
    double median = deviations[TOKENS / 2];
    assertTrue(deviations[0] > 0, "the weights were not quantised");
    // Where two experts are nearly as good, a router chooses the other, and memories carry that on.
    boolean routed = architecture(folder).toJson().contains("\"moe\"");
    assertTrue(
        median < (routed ? 0.75 : 0.25), "half of the tokens deviate by more than " + median);
  }

  /** Those of the project, and those of the shared folder where there is one. */
  static Stream<Path> goldens() throws IOException, URISyntaxException {
    Stream<Path> known = Stream.concat(GoldenTest.committed(), GoldenTest.shared());
    return known.filter(
        folder -> {
          String name = folder.getFileName().toString();
          return readable.contains(name) || name.equals("llama3-rope");
        });
  }

  @ParameterizedTest
  @MethodSource("goldens")
  void theReferenceAgrees(Path golden) throws IOException {
    Path folder = Files.createDirectories(temporary.resolve("golden"));
    for (String name : List.of("expected.json", "expected.safetensors")) {
      Files.copy(golden.resolve(name), folder.resolve(name));
    }
    Path file = folder.resolve("model.gguf");
    convert(golden, WeightFormat.BF16, file);
    Verification found = Verification.of(file, ModelOptions.standard());
    assertTrue(found.passes(1e-4), found.toString());
  }

  /** Written beside the folder. */
  private static Path converted(Path folder, WeightFormat format) throws IOException {
    Path file = folder.resolveSibling(format + ".gguf");
    convert(folder, format, file);
    return file;
  }

  private static void convert(Path folder, WeightFormat format, Path file) throws IOException {
    try (TensorFile tensors = Safetensors.openFolder(folder)) {
      Config config = Config.read(folder.resolve("config.json"));
      GgufConverter.convert(config, tensors, format).write(file);
    }
  }

  private static Architecture architecture(Path checkpoint) {
    try (Model model = Model.load(checkpoint)) {
      return model.architecture();
    }
  }

  private static float[][] logits(Path checkpoint, int tokens) {
    try (Model model = Model.load(checkpoint);
        Session session = model.newSession(tokens)) {
      return session.score(TinyModels.tokens(tokens, 5));
    }
  }

  private static void assertSameBits(float[][] expected, float[][] found) {
    for (int row = 0; row < expected.length; row++) {
      assertArrayEquals(expected[row], found[row], "token " + row);
    }
  }

  /** The largest difference, by the root mean square of what is expected. */
  private static double deviation(float[][] expected, float[][] found) {
    double largest = 0;
    double squares = 0;
    for (int row = 0; row < expected.length; row++) {
      for (int i = 0; i < expected[row].length; i++) {
        double difference = Math.abs((double) expected[row][i] - found[row][i]);
        // Written so that NaN counts as the largest difference there is.
        largest = difference <= largest ? largest : difference;
        squares += (double) expected[row][i] * expected[row][i];
      }
    }
    return largest / Math.sqrt(squares / (expected.length * expected[0].length));
  }
}
