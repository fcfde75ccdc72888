package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.file.Gguf;
import dev.apus.core.model.Architecture;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * A family's checkpoints as GGUF files: what their metadata says in the words of the family's
 * config, and what they call the weights. Found by {@code general.architecture}.
 */
public interface GgufFamily {

  /** The values of {@code general.architecture} of its files. */
  List<String> architectures();

  /**
   * The metadata as the config of a {@link ModelFamily}, which then describes the model. Keys of
   * the architecture that nobody knows are in it under their own names, so that they are refused
   * like any other unknown setting; messages about it use the file's keys.
   *
   * @throws dev.apus.core.config.ConfigException if a key is missing, or asks for something that
   *     cannot be run
   */
  Config config(Gguf file);

  /**
   * Says what files of this kind say otherwise than {@link GgufMetadata} does for all kinds. What
   * comes of the metadata is compared with the model before anything is written.
   */
  default void describe(Architecture model, GgufMetadata metadata) {}

  /** Settings that its files may ask for and that no published config has a word for. */
  default List<String> unpublished() {
    return List.of();
  }

  /** What a file with this config calls its weights. */
  WeightNames weights(Config config);
}
