package dev.apus.models;

import dev.apus.core.ModelOptions;
import dev.apus.core.RandomCheckpoint;
import dev.apus.core.config.Config;
import dev.apus.core.file.Safetensors;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.core.file.TensorFile;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.SplittableRandom;

/**
 * A folder in the Hugging Face layout with weights from a seed, of the names and shapes that {@link
 * RandomCheckpoint} gives them. Every value is a multiple of 1/128, which all formats of single
 * values hold exactly.
 */
final class TinyCheckpoint {

  private TinyCheckpoint() {}

  static Path write(Path folder, String family, long seed) throws IOException {
    return write(folder, TinyModels.resource("/configs/" + family + ".json"), seed);
  }

  /** Writes {@code config.json} and {@code model.safetensors}. */
  static Path write(Path folder, byte[] json, long seed) throws IOException {
    Config config = Config.parse("config.json", json);
    boolean centered = config.word("model_type").matches("gemma[23].*");
    Path outline = folder.resolveSibling("outline");
    RandomCheckpoint.of(config, ModelOptions.standard())
        .writeFolder(outline, WeightFormat.BF16, seed);
    var random = new SplittableRandom(seed);
    var writer = new SafetensorsWriter();
    try (TensorFile tensors = Safetensors.openFolder(outline)) {
      tensors
          .tensors()
          .forEach(
              (name, tensor) -> {
                boolean ones = !centered && name.matches(".*norm(_f)?\\.weight");
                List<Long> shape = tensor.shape();
                writer.add(name, "BF16", shape, values(ones ? 1 : 0, shape, random));
              });
    }
    Files.createDirectories(folder);
    Files.write(folder.resolve("config.json"), json);
    writer.write(folder.resolve("model.safetensors"));
    return folder;
  }

  private static MemorySegment values(double center, List<Long> shape, SplittableRandom random) {
    double spread = shape.size() > 1 ? Math.sqrt(3.0 / shape.getLast()) : 0.2;
    int count = Math.toIntExact(shape.stream().reduce(1L, Math::multiplyExact));
    float[] values = new float[count];
    for (int i = 0; i < count; i++) {
      double value = center + spread * (2 * random.nextDouble() - 1);
      values[i] = Math.round(128 * value) / 128f;
    }
    MemorySegment data = MemorySegment.ofArray(new byte[2 * count]);
    WeightFormat.BF16.codec().encode(values, 0, data, 0, count);
    return data;
  }
}
