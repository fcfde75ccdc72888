package dev.apus.core.family;

import dev.apus.core.config.Config;
import dev.apus.core.model.Architecture;
import dev.apus.core.weight.WeightNames;
import java.util.List;

/**
 * A family of checkpoints: how its config reads, and what its files call their weights. Found by
 * name; modules may provide more as services.
 */
public interface ModelFamily {

  /** The {@code architectures} and {@code model_type} values of its configs. */
  List<String> names();

  /** Whether a config that names neither architectures nor a model type is of this family. */
  default boolean recognizes(Config config) {
    return false;
  }

  /**
   * The {@code quant_method}s of checkpoints whose tensors its table of names can read; it then
   * reads their settings, too.
   */
  default List<String> quantizations() {
    return List.of();
  }

  /**
   * What a config describes.
   *
   * @throws dev.apus.core.config.ConfigException if it asks for something that cannot be run
   */
  Architecture describe(Config config);

  /** What a checkpoint with this config calls its weights. */
  WeightNames weights(Config config);

  /** How GGUF files of this family read; empty if they cannot be opened. */
  default List<GgufFamily> gguf() {
    return List.of();
  }
}
