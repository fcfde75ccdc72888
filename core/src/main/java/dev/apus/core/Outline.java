package dev.apus.core;

import dev.apus.core.config.ConfigException;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.model.Architecture;
import java.util.List;

/**
 * What the files of a checkpoint say of a model; no matrix is read.
 *
 * <p>Its tensors lie in files that stay open until it is closed.
 */
public final class Outline implements AutoCloseable {

  private final Checkpoint checkpoint;
  private final ModelOptions options;

  private Outline(Checkpoint checkpoint, ModelOptions options) {
    this.checkpoint = checkpoint;
    this.options = options;
  }

  /**
   * Opens a checkpoint.
   *
   * @throws dev.apus.core.file.FormatException if a file breaks the rules of its format
   * @throws ConfigException if the config asks for something that cannot be run
   */
  public static Outline open(ModelFiles files, ModelOptions options) {
    return new Outline(Checkpoint.open(files, options.families()), options);
  }

  /** What the model is made of. */
  public Architecture architecture() {
    return checkpoint.architecture();
  }

  /**
   * Reads the vocabulary and what the makers say about generating.
   *
   * @throws dev.apus.core.tokenizer.TokenizerException if the tokenizer cannot be read
   * @throws ConfigException if a setting is no value that it can have
   */
  public void requireLanguage() {
    checkpoint.language().get();
  }

  /**
   * What the model and its sessions will take.
   *
   * @throws dev.apus.core.weight.WeightException if the weights do not fit the config
   */
  public MemoryEstimate memory() {
    return Loading.estimate(checkpoint, options, FreeMemory.bytes());
  }

  /** The tensors as the files hold them. */
  public List<StoredTensor> storedTensors() {
    return List.copyOf(checkpoint.tensors().tensors().values());
  }

  @Override
  public void close() {
    checkpoint.tensors().close();
  }
}
