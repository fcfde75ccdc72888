package dev.apus.core;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.family.Families;
import dev.apus.core.file.FormatException;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.TensorFile;
import dev.apus.core.model.Architecture;
import dev.apus.core.tokenizer.Tokenizer;
import dev.apus.core.weight.WeightNames;
import java.nio.file.Files;
import java.nio.file.Path;

/**
 * What the files of a checkpoint say, before any weight is read.
 *
 * @param tokenizer or null if there is none
 */
record Checkpoint(
    String name,
    Architecture architecture,
    WeightNames names,
    Tokenizer tokenizer,
    GenerationSettings generation,
    TensorFile tensors) {

  static Checkpoint open(Path path, Families families) {
    if (Files.isDirectory(path)) {
      return open(ModelFiles.folder(path), families);
    }
    if (!Files.exists(path)) {
      throw new FormatException(path + ": there is no such file or folder");
    }
    throw new FormatException(
        path + ": a checkpoint is a folder with config.json and model.safetensors");
  }

  static Checkpoint open(ModelFiles files, Families families) {
    byte[] json = files.read("config.json");
    if (json == null) {
      throw new ConfigException(
          files.name()
              + ": there is no config.json; a checkpoint needs config.json and"
              + " model.safetensors");
    }
    Config config = Config.parse(files.name() + "/config.json", json);
    Architecture architecture = families.describe(config);
    WeightNames names = families.of(config).weights(config);
    byte[] tokenizerJson = files.read("tokenizer.json");
    Tokenizer tokenizer =
        tokenizerJson == null
            ? null
            : Tokenizer.parse(
                files.name() + "/tokenizer.json",
                tokenizerJson,
                files.read("tokenizer_config.json"));
    byte[] generationJson = files.read("generation_config.json");
    Config generation =
        generationJson == null
            ? null
            : Config.parse(files.name() + "/generation_config.json", generationJson);
    GenerationSettings settings =
        GenerationSettings.read(generation, config, tokenizer, architecture.vocabulary());
    return new Checkpoint(files.name(), architecture, names, tokenizer, settings, files.tensors());
  }
}
