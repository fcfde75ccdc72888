package dev.apus.core;

import dev.apus.core.compute.Workers;
import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.config.ConfigWriter;
import dev.apus.core.family.Families;
import dev.apus.core.family.GgufLayout;
import dev.apus.core.file.FormatException;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.GgufWriter;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.SafetensorsWriter;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorContent;
import dev.apus.core.model.Architecture;
import dev.apus.core.tokenizer.VocabularyConversion;
import dev.apus.core.weight.Accounts;
import dev.apus.core.weight.Accounts.Account;
import dev.apus.core.weight.CheckpointWeights;
import dev.apus.core.weight.ConvertedTensors;
import dev.apus.core.weight.Quantization;
import dev.apus.core.weight.RandomTensors.Made;
import dev.apus.core.weight.WeightList;
import dev.apus.core.weight.WeightNames;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.function.LongConsumer;

/**
 * Writes a model in the other of its two layouts: a folder in the Hugging Face layout as a GGUF
 * file that other programs open, and a GGUF file as such a folder, with settings, vocabulary and
 * chat template. In formats that keep the values, the model gives the same bits.
 *
 * <p>Tensors are read and written a few rows at a time: the memory need not hold them.
 */
public final class ModelConversion {

  private static final String CONFIG = "config.json";
  private static final String GENERATION = "generation_config.json";

  private final Path from;
  private final ModelOptions options;
  private final LongConsumer written;

  /**
   * @param options which families and parts there are, and how many threads
   * @param written is told the bytes that have been written since it was told before
   */
  public ModelConversion(Path from, ModelOptions options, LongConsumer written) {
    this.from = from;
    this.options = options;
    this.written = written;
  }

  /** Whether a path is that of a GGUF file, by its name. */
  public static boolean isGguf(Path path) {
    return path.toString().endsWith(".gguf");
  }

  /**
   * Writes a folder's model as a GGUF file.
   *
   * @param rules the formats of matrices; null for those that they have
   * @return what became of the tensors of each kind
   * @throws ConfigException if there is no kind of GGUF file that can say what the model is
   * @throws dev.apus.core.tokenizer.TokenizerException if none can say what its vocabulary is
   */
  public List<Account> toGguf(Path to, Quantization rules) throws IOException {
    Accounts accounts = new Accounts();
    ModelFiles files = ModelFiles.folder(from);
    Checkpoint checkpoint = Checkpoint.open(files, options.families());
    try (var _ = checkpoint.tensors();
        Workers workers = Workers.of(options.threads())) {
      WeightList list = RandomCheckpoint.list(checkpoint.architecture(), options);
      GgufLayout layout = options.families().gguf(checkpoint.architecture(), list);
      GgufWriter writer = layout.writer();
      writer.text("general.name", String.valueOf(from.toAbsolutePath().normalize().getFileName()));
      List<Made> made = made(checkpoint, list, layout.names(), rules, workers, accounts);
      writer.u32("general.file_type", GgufCopy.fileType(made));
      for (Made tensor : made) {
        List<Long> shape = RandomCheckpoint.flat(tensor, layout.names());
        writer.add(tensor.name(), tensor.format().name(), shape, told(tensor));
      }
      int vocabulary = checkpoint.architecture().vocabulary();
      VocabularyConversion.write(
          writer, files.name(), files::read, vocabulary, ends(files, writer));
      TemplateSource template = TemplateSource.of(files);
      if (template != null) {
        writer.text("tokenizer.chat_template", template.source());
      }
      writer.write(to);
    }
    return accounts.list();
  }

  /** The tokens that end a text; writes how tokens are chosen, if that is said. */
  private static List<Integer> ends(ModelFiles files, GgufWriter writer) {
    List<Integer> ends = new ArrayList<>();
    for (String name : List.of(GENERATION, CONFIG)) {
      byte[] json = files.read(name);
      Config config = json == null ? null : Config.parse(files.name() + "/" + name, json);
      if (config != null && name.equals(GENERATION)) {
        GgufSampling.write(config, writer);
      }
      if (config != null && ends.isEmpty() && config.has("eos_token_id")) {
        if (config.raw("eos_token_id") instanceof List) {
          ends.addAll(config.integers("eos_token_id"));
        } else {
          ends.add(config.count("eos_token_id"));
        }
      }
    }
    return ends;
  }

  /**
   * Writes a GGUF file's model as a folder, with {@code model.safetensors} or, where a matrix is in
   * a format of blocks, {@code model.gguf} with the same names, which Apus alone opens.
   *
   * @param rules the formats of matrices; null for those that they have
   * @return what became of the tensors of each kind
   * @throws ConfigException if the folder's config would not describe the same model
   */
  public List<Account> toFolder(Path to, Quantization rules) throws IOException {
    Accounts accounts = new Accounts();
    ModelFiles files = ModelFiles.gguf(from);
    Checkpoint checkpoint = Checkpoint.open(files, options.families());
    try (var _ = checkpoint.tensors();
        Workers workers = Workers.of(options.threads())) {
      Families families = options.families();
      Gguf gguf = (Gguf) checkpoint.tensors();
      Config read = families.of(gguf).config(gguf);
      for (String word : families.of(gguf).unpublished()) {
        if (read.has(word)) {
          throw read.error("%s=%s has no word in a config that others read", word, read.raw(word));
        }
      }
      Map<String, Object> settings = settings(read, families);
      String json = ConfigWriter.json(settings);
      Config config =
          Config.parse(to.resolve(CONFIG).toString(), json.getBytes(StandardCharsets.UTF_8));
      requireSame(checkpoint.architecture(), families.describe(config), config);
      WeightNames names = families.of(config).weights(config);
      WeightList list = RandomCheckpoint.list(checkpoint.architecture(), options);
      List<Made> made = made(checkpoint, list, names, rules, workers, accounts);
      Files.createDirectories(to);
      Files.writeString(to.resolve(CONFIG), json);
      VocabularyConversion.writeFolder(gguf.name(), gguf.metadata(), to);
      Config sampling = GgufSampling.of(gguf);
      if (sampling != null) {
        Files.writeString(to.resolve(GENERATION), ConfigWriter.json(sampling.asMap()));
      }
      write(made, names, to);
    }
    return accounts.list();
  }

  private static void requireSame(Architecture found, Architecture again, Config config) {
    if (!found.toJson().equals(again.toJson())) {
      throw config.error(
          "a config cannot say what the GGUF file says; compare apus describe --document of both");
    }
  }

  /** The settings in a config's words, with the class that has them. */
  private static Map<String, Object> settings(Config read, Families families) {
    Map<String, Object> settings = new LinkedHashMap<>();
    String type = read.word("model_type");
    families.of(read).names().stream()
        .filter(
            name ->
                name.replaceAll("For.*|LMHead.*", "")
                    .toLowerCase(Locale.ROOT)
                    .equals(type.replace("_text", "").replaceAll("[_-]", "")))
        .filter(name -> !name.equals(type))
        .findFirst()
        .ifPresent(name -> settings.put("architectures", List.of(name)));
    settings.put("model_type", type);
    settings.putAll(read.asMap());
    return settings;
  }

  private void write(List<Made> made, WeightNames names, Path to) throws IOException {
    if (made.stream().allMatch(tensor -> tensor.format().blockLength() == 1)) {
      SafetensorsWriter writer = new SafetensorsWriter().metadata("format", "pt");
      for (Made t : made) {
        writer.add(t.name(), t.format().name(), RandomCheckpoint.published(t, names), told(t));
      }
      writer.write(to.resolve("model.safetensors"));
    } else {
      GgufWriter writer = new GgufWriter().text("general.architecture", "huggingface");
      for (Made t : made) {
        writer.add(t.name(), t.format().name(), RandomCheckpoint.published(t, names), told(t));
      }
      writer.write(to.resolve("model.gguf"));
    }
  }

  private TensorContent told(Made tensor) {
    long values = tensor.shape().stream().reduce(1L, Math::multiplyExact);
    int cols = Math.toIntExact(tensor.shape().getLast());
    long bytes = values / Math.max(1, cols) * tensor.format().rowBytes(cols);
    return out -> {
      tensor.content().writeTo(out);
      written.accept(bytes);
    };
  }

  private static List<Made> made(
      Checkpoint checkpoint,
      WeightList list,
      WeightNames names,
      Quantization rules,
      Workers workers,
      Accounts accounts) {
    var source = new CheckpointWeights(checkpoint.tensors(), checkpoint.names());
    return new ConvertedTensors(source, workers).of(list, names, rules, accounts);
  }

  /** How many bytes the tensors of a model take. */
  public static long bytes(Path model) {
    try (var tensors = ModelFiles.of(model).tensors()) {
      return tensors.tensors().values().stream()
          .mapToLong((StoredTensor tensor) -> tensor.data().byteSize())
          .sum();
    }
  }

  /**
   * Refuses to write over what is there.
   *
   * @throws FormatException if a file or a folder that is not empty is in the way
   */
  public static void requireFree(Path to) throws IOException {
    if (Files.exists(to)) {
      boolean empty = false;
      if (Files.isDirectory(to)) {
        try (var files = Files.list(to)) {
          empty = files.findAny().isEmpty();
        }
      }
      if (!empty) {
        throw new FormatException(to + ": is there already; name a new file or folder");
      }
    }
  }
}
