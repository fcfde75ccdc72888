package dev.apus.models;

import static org.junit.jupiter.api.Assertions.assertTrue;

import dev.apus.core.Model;
import dev.apus.core.ModelOptions;
import dev.apus.core.config.ConfigException;
import dev.apus.core.file.FormatException;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.TensorFile;
import dev.apus.core.tokenizer.TokenizerException;
import dev.apus.core.weight.WeightException;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Whatever stands under a key, a file is opened or refused with a sentence. */
class GgufDamageTest {

  private static final List<Object> VALUES =
      List.of(
          "text",
          -1,
          0L,
          1L,
          3L,
          (long) Integer.MAX_VALUE,
          (1L << 32) - 1,
          0.5f,
          Float.NaN,
          Float.POSITIVE_INFINITY,
          true,
          List.of("a", "list"),
          new int[] {4, 4, 4, 4});

  private static final Set<Class<?>> REFUSALS =
      Set.of(
          ConfigException.class,
          FormatException.class,
          TokenizerException.class,
          WeightException.class);

  @TempDir private Path temporary;

  @ParameterizedTest
  @ValueSource(strings = {"llama-yarn", "mixtral", "qwen2_moe", "gemma3"})
  void everyKeyWithEveryValue(String family) throws IOException {
    Path folder = TinyCheckpoint.write(temporary.resolve(family), family, 11);
    Path whole = temporary.resolve("whole.gguf");
    try (TensorFile tensors = Safetensors.openFolder(folder)) {
      GgufConverter.convert(TinyModels.config(family), tensors, WeightFormat.BF16).write(whole);
    }
    List<String> leaks = new ArrayList<>();
    try (Gguf file = Gguf.open(whole)) {
      for (String key : file.metadata().keySet()) {
        for (Object value : VALUES) {
          Throwable thrown = opened(damaged(file, key, value));
          if (thrown != null && !REFUSALS.contains(thrown.getClass())) {
            leaks.add(key + "=" + value + ": " + thrown);
          }
        }
      }
    }
    assertTrue(leaks.isEmpty(), () -> String.join("\n", leaks));
  }

  private Path damaged(Gguf file, String damagedKey, Object damage) throws IOException {
    var writer = new GgufWriter();
    for (Map.Entry<String, Object> entry : file.metadata().entrySet()) {
      String key = entry.getKey();
      put(writer, key, key.equals(damagedKey) ? damage : entry.getValue());
    }
    file.tensors().values().forEach(writer::add);
    Path path = temporary.resolve("damaged.gguf");
    writer.write(path);
    return path;
  }

  private static void put(GgufWriter writer, String key, Object value) {
    switch (value) {
      case Long number -> writer.u32(key, number);
      case Integer number -> writer.i32(key, number);
      case Double number -> writer.f32(key, number.floatValue());
      case Float number -> writer.f32(key, number);
      case Boolean flag -> writer.flag(key, flag);
      case int[] numbers -> writer.i32s(key, numbers);
      case List<?> texts -> writer.texts(key, texts.stream().map(String.class::cast).toList());
      default -> writer.text(key, (String) value);
    }
  }

  private static Throwable opened(Path path) {
    try (Model model = Model.load(path, ModelOptions.standard().withThreads(1))) {
      return model.architecture() == null ? new AssertionError("no architecture") : null;
    } catch (RuntimeException | OutOfMemoryError | StackOverflowError e) {
      return e;
    }
  }
}
