package dev.apus.core;

import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.config.ConfigWriter;
import dev.apus.core.family.GgufLayout;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.core.model.Architecture;
import dev.apus.core.model.ModelAssembler;
import dev.apus.core.tokenizer.SyntheticVocabulary;
import dev.apus.core.weight.RandomTensors;
import dev.apus.core.weight.WeightList;
import dev.apus.core.weight.WeightNames;
import dev.apus.core.weight.Weights;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A checkpoint of any architecture with weights from a seed, so that other programs can run the
 * model that {@link Model#random} makes of the same seed.
 *
 * <p>Matrices are in one format, everything else and routers in F32. Weights are drawn while they
 * are written: the memory need not hold them.
 */
public final class RandomCheckpoint {

  private final Config config;
  private final Architecture architecture;
  private final boolean document;
  private final ModelOptions options;

  private RandomCheckpoint(Config config, boolean document, ModelOptions options) {
    this.config = config;
    this.document = document;
    this.options = options;
    this.architecture = document ? Architecture.read(config) : options.families().describe(config);
  }

  /**
   * A checkpoint of what a JSON document describes: a config in Hugging Face's words, or an {@link
   * Architecture}.
   *
   * @throws ConfigException if it is neither, or cannot be run
   */
  public static RandomCheckpoint of(Config config, ModelOptions options) {
    boolean document = config.has("family") && config.has("layers") && !config.has("model_type");
    return new RandomCheckpoint(config, document, options);
  }

  public Architecture architecture() {
    return architecture;
  }

  /**
   * Writes a GGUF file that other programs open: with the names and the metadata of the first kind
   * of file that can say what the model is, and a made-up vocabulary.
   *
   * @throws ConfigException if there is no such kind
   */
  public void writeGguf(Path file, WeightFormat format, long seed) throws IOException {
    WeightList list = list(architecture, options);
    GgufLayout layout = options.families().gguf(architecture, list);
    GgufWriter writer = layout.writer();
    writer.text(
        "general.name",
        String.format(
            Locale.ROOT,
            "random weights and a synthetic vocabulary, %s, seed %d",
            architecture.family(),
            seed));
    int begin = token("bos_token_id", -1);
    SyntheticVocabulary.write(
        writer,
        architecture.vocabulary(),
        begin,
        token("eos_token_id", architecture.vocabulary() - 1));
    try (Workers workers = Workers.of(options.threads())) {
      WeightNames names = layout.names();
      for (RandomTensors.Made t : new RandomTensors(seed, workers).of(list, names, format)) {
        writer.add(t.name(), t.format().name(), flat(t, names), t.content());
      }
      writer.write(file);
    }
  }

  /**
   * Writes a folder in the Hugging Face layout: {@code config.json}, and {@code model.safetensors}
   * or, for formats of blocks, {@code model.gguf} with the same names, which Apus alone opens.
   *
   * @throws ConfigException if the model was described by an architecture document, which has no
   *     config
   */
  public void writeFolder(Path folder, WeightFormat format, long seed) throws IOException {
    if (document) {
      throw config.error(
          "is an architecture, for which there is no config.json; a GGUF file can be written");
    }
    WeightNames names = options.families().of(config).weights(config);
    try (Workers workers = Workers.of(options.threads())) {
      WeightList list = list(architecture, options);
      List<RandomTensors.Made> tensors = new RandomTensors(seed, workers).of(list, names, format);
      Files.createDirectories(folder);
      Files.writeString(folder.resolve("config.json"), json(format));
      if (format.blockLength() == 1) {
        SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
        tensors.forEach(
            t -> writer.add(t.name(), t.format().name(), published(t, names), t.content()));
        writer.write(folder.resolve("model.safetensors"));
      } else {
        GgufWriter writer = new GgufWriter().text("general.architecture", "huggingface");
        tensors.forEach(
            t -> writer.add(t.name(), t.format().name(), published(t, names), t.content()));
        writer.write(folder.resolve("model.gguf"));
      }
    }
  }

  /** The weights that a model asks for. */
  static WeightList list(Architecture architecture, ModelOptions options) {
    WeightList list = new WeightList();
    ModelAssembler.assemble(
        architecture, options.mixers(), options.cache(), Weights.outline(list, options.kernels()));
    return list;
  }

  /** Matrices of one row are vectors in GGUF files. */
  static List<Long> flat(RandomTensors.Made t, WeightNames names) {
    boolean one = t.shape().size() == 2 && t.shape().getFirst() == 1;
    return names.shape(t.name(), one ? t.shape().subList(1, 2) : t.shape());
  }

  /** Published convolutions have a dimension of one between channels and taps. */
  static List<Long> published(RandomTensors.Made t, WeightNames names) {
    List<Long> shape =
        !t.matrix() && t.shape().size() == 2 && t.name().contains("conv")
            ? List.of(t.shape().getFirst(), 1L, t.shape().getLast())
            : t.shape();
    return names.shape(t.name(), shape);
  }

  private int token(String key, int absent) {
    if (document || !config.has(key)) {
      return absent;
    }
    return config.raw(key) instanceof Long id ? id.intValue() : absent;
  }

  /** The config with the type that the weights have. */
  private String json(WeightFormat format) {
    Map<String, Object> settings = new LinkedHashMap<>(config.asMap());
    settings.remove("torch_dtype");
    settings.put(
        "dtype",
        switch (format) {
          case F16 -> "float16";
          case BF16 -> "bfloat16";
          default -> "float32";
        });
    return ConfigWriter.json(settings);
  }
}
