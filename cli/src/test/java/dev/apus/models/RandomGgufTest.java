package dev.apus.models;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.junit.jupiter.api.Assertions.assertEquals;
import static org.junit.jupiter.api.Assertions.assertFalse;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.RandomCheckpoint;
import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import dev.apus.core.tokenizer.Tokenizer;
import dev.apus.core.weight.StoredRows;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Random checkpoints as GGUF files: what a converter makes of the same as a folder. */
class RandomGgufTest {

  private static final long SEED = 3;

  @TempDir private Path temporary;

  private static RandomCheckpoint checkpoint(String family) {
    return RandomCheckpoint.of(TinyModels.config(family), ModelOptions.standard());
  }

  private static Map<String, List<Long>> shapes(TensorFile file) {
    Map<String, List<Long>> shapes = new TreeMap<>();
    file.tensors().forEach((name, tensor) -> shapes.put(name, tensor.shape()));
    shapes.replaceAll((name, shape) -> name.endsWith("exp_probs_b.bias") ? flat(shape) : shape);
    return shapes;
  }

  private static List<Long> flat(List<Long> shape) {
    return shape.subList(shape.size() - 1, shape.size());
  }

  /**
   * The width of a dense block that no layer has, the rotation of heads that are not turned, layers
   * that predict further tokens, and what converters say of shared experts wrongly.
   */
  private static final String NOTHING_IS_COMPUTED_BY =
      "qwen.*\\.feed_forward_length|(granitehybrid|nemotron_h.*|hunyuan-moe)\\.rope\\..*"
          + "|glm4moe\\.(block_count|nextn_predict_layers)|granitehybrid\\.expert_.*"
          + "|qwen35.*\\.rope\\.dimension_sections"
          + "|(ernie4_5|hunyuan)-moe\\.expert_shared_feed_forward_length";

  /** What is written as GGUF is what a converter makes of what is written as safetensors. */
  @ParameterizedTest
  @MethodSource("convertible")
  void theFileIsWhatAConverterMakes(String family) throws IOException {
    Path folder = temporary.resolve(family);
    Path file = temporary.resolve("model.gguf");
    sayable(family).writeFolder(folder, WeightFormat.F32, SEED);
    sayable(family).writeGguf(file, WeightFormat.F32, SEED);
    try (TensorFile tensors = Safetensors.openFolder(folder);
        Gguf found = Gguf.open(file)) {
      Config config = Config.read(folder.resolve("config.json"));
      Path converted = temporary.resolve("converted.gguf");
      GgufConverter.convert(config, tensors, WeightFormat.F32).write(converted);
      try (Gguf expected = Gguf.open(converted)) {
        Map<String, Object> needed = metadata(expected);
        needed.keySet().removeIf(key -> key.matches(NOTHING_IS_COMPUTED_BY));
        Map<String, Object> more = metadata(found);
        more.keySet().retainAll(needed.keySet());
        assertEquals(needed, more);
        assertEquals(shapes(expected), shapes(found));
        expected.tensors().forEach((name, t) -> assertSame(t, found.tensors().get(name)));
      }
    }
  }

  /** The tests' converter does not know GLM-5. */
  static Stream<String> convertible() {
    return Stream.concat(
        SayableConfigs.families().stream().filter(family -> !family.startsWith("glm_moe_dsa")),
        Stream.of("llama3-rope", "mistral"));
  }

  private static RandomCheckpoint sayable(String family) {
    return RandomCheckpoint.of(SayableConfigs.of(family), ModelOptions.standard());
  }

  private static Map<String, Object> metadata(Gguf file) {
    Map<String, Object> metadata = new TreeMap<>(file.metadata());
    metadata.keySet().removeIf(key -> key.startsWith("tokenizer.") || key.equals("general.name"));
    metadata.replaceAll(
        (key, value) -> value instanceof int[] each ? Arrays.stream(each).boxed().toList() : value);
    return metadata;
  }

  private static void assertSame(StoredTensor expected, StoredTensor found) {
    if (expected.name().endsWith(".ssm_a")) {
      // The folder holds logarithms.
      float[] rates = StoredRows.of(expected).decode();
      float[] drawn = StoredRows.of(found).decode();
      for (int i = 0; i < rates.length; i++) {
        assertEquals(rates[i], drawn[i], 1e-6f * Math.abs(rates[i]), expected.name());
      }
      return;
    }
    assertEquals(-1, expected.data().mismatch(found.data()), expected.name());
  }

  @Test
  void threadsChangeNothingAndTheSeedEverything() throws IOException {
    Path one = temporary.resolve("one.gguf");
    Path three = temporary.resolve("three.gguf");
    Path other = temporary.resolve("other.gguf");
    Config config = TinyModels.config("mixtral");
    ModelOptions options = ModelOptions.standard();
    RandomCheckpoint.of(config, options.withThreads(1)).writeGguf(one, WeightFormat.Q4_0, 1);
    RandomCheckpoint.of(config, options.withThreads(3)).writeGguf(three, WeightFormat.Q4_0, 1);
    RandomCheckpoint.of(config, options).writeGguf(other, WeightFormat.Q4_0, 2);
    assertEquals(-1, Files.mismatch(one, three));
    try (Gguf first = Gguf.open(one);
        Gguf second = Gguf.open(other)) {
      for (StoredTensor tensor : first.tensors().values()) {
        StoredTensor counterpart = second.tensors().get(tensor.name());
        assertFalse(tensor.data().mismatch(counterpart.data()) < 0, tensor.name());
      }
    }
  }

  @Test
  void theVocabularyHasTheConfigsSizeAndSpellsEveryText() throws IOException {
    Path file = temporary.resolve("model.gguf");
    byte[] json = Files.readAllBytes(resourceWithVocabulary(70_000));
    RandomCheckpoint.of(Config.parse("config.json", json), ModelOptions.standard())
        .writeGguf(file, WeightFormat.Q8_0, SEED);
    try (Model model = Model.load(file)) {
      Tokenizer tokenizer = model.tokenizer();
      assertEquals(70_000, tokenizer.vocabularySize());
      String text = "Apus apus, der Mauersegler – 雨燕 \0\n";
      assertEquals(text, tokenizer.decode(tokenizer.encode(text)).replace("<|begin|>", ""));
    }
  }

  private Path resourceWithVocabulary(int size) throws IOException {
    String json = new String(TinyModels.resource("/configs/llama.json"), UTF_8);
    return Files.writeString(
        temporary.resolve("config.json"),
        json.replaceFirst("\"vocab_size\": \\d+", "\"vocab_size\": " + size));
  }

  @Test
  void aSmallVocabularyIsLeftOut() throws IOException {
    Path file = temporary.resolve("model.gguf");
    checkpoint("llama").writeGguf(file, WeightFormat.BF16, SEED);
    try (Gguf gguf = Gguf.open(file)) {
      assertEquals("none", gguf.metadata().get("tokenizer.ggml.model"));
      assertEquals(192L, gguf.metadata().get("llama.vocab_size"));
    }
  }
}
