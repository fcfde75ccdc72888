package dev.apus.core;

import dev.apus.core.config.Config;
import dev.apus.core.config.ConfigException;
import dev.apus.core.family.Families;
import dev.apus.core.family.GgufFamily;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.TensorFile;
import dev.apus.core.model.Architecture;
import dev.apus.core.tokenizer.Tokenizer;
import dev.apus.core.tokenizer.TokenizerException;
import dev.apus.core.weight.WeightNames;
import java.util.Map;

/**
 * What the files of a checkpoint say, before any weight is read.
 *
 * @param language is read beside the weights, because large vocabularies take as long as these
 */
record Checkpoint(
    String name,
    Architecture architecture,
    WeightNames names,
    Later<Language> language,
    TensorFile tensors) {

  /**
   * How text becomes tokens and tokens are chosen.
   *
   * @param makersSettings all that the makers say about generating
   * @param chat how a conversation becomes a text, or null
   */
  record Language(
      Text text, GenerationSettings generation, Config makersSettings, TemplateSource chat) {

    /** What is known where nothing else is said about generating. */
    Language(Text text, GenerationSettings generation, TemplateSource chat) {
      this(text, generation, Config.of("generation_config.json", Map.of()), chat);
    }
  }

  static Checkpoint open(ModelFiles files, Families families) {
    byte[] json = files.read("config.json");
    if (json != null) {
      return folder(files, json, families);
    }
    TensorFile tensors = files.tensors();
    try {
      if (tensors instanceof Gguf gguf) {
        return gguf(files.name(), gguf, families);
      }
      throw new ConfigException(
          files.name() + ": there is no config.json, which says what the tensors are");
    } catch (RuntimeException | Error e) {
      tensors.close();
      throw e;
    }
  }

  private static Checkpoint folder(ModelFiles files, byte[] json, Families families) {
    Config config = Config.parse(files.name() + "/config.json", json);
    Architecture architecture = families.describe(config);
    WeightNames names = families.of(config).weights(config);
    Later<Language> language =
        Later.of("tokenizer", () -> language(files, config, architecture.vocabulary()));
    return new Checkpoint(files.name(), architecture, names, language, files.tensors());
  }

  private static Language language(ModelFiles files, Config config, int vocabulary) {
    Text text =
        Tokenizer.read(files.name(), files::read)
            .map(Text::of)
            .orElse(Text.none("the checkpoint has no tokenizer.json, nor another vocabulary"));
    byte[] generationJson = files.read("generation_config.json");
    Config generation =
        generationJson == null
            ? null
            : Config.parse(files.name() + "/generation_config.json", generationJson);
    GenerationSettings settings =
        GenerationSettings.read(generation, config, text.tokenizer(), vocabulary);
    TemplateSource chat = TemplateSource.of(files);
    return generation == null
        ? new Language(text, settings, chat)
        : new Language(text, settings, generation, chat);
  }

  private static Checkpoint gguf(String name, Gguf file, Families families) {
    GgufFamily family = families.of(file);
    Config config = family.config(file);
    Architecture architecture = families.describe(config);
    Later<Language> language =
        Later.of("tokenizer", () -> language(file, config, architecture.vocabulary()));
    return new Checkpoint(name, architecture, family.weights(config), language, file);
  }

  private static Language language(Gguf file, Config config, int vocabulary) {
    Text text = text(file);
    GenerationSettings settings =
        GenerationSettings.read(GgufSampling.of(file), config, text.tokenizer(), vocabulary);
    return new Language(text, settings, TemplateSource.of(file));
  }

  /** A vocabulary of an unknown kind keeps nobody from computing with tokens. */
  private static Text text(Gguf file) {
    try {
      return Text.of(Tokenizer.ofGguf(file.name(), file.metadata()));
    } catch (TokenizerException e) {
      if (Tokenizer.knowsGguf(file.metadata())) {
        throw e;
      }
      return Text.none(e.getMessage());
    }
  }
}
