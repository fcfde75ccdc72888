package dev.apus.moe.convert;

import dev.apus.core.config.Config;
import dev.apus.core.file.FormatException;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;

/** A checkpoint without experts, as a folder in the Hugging Face layout. */
final class DenseCheckpoint implements AutoCloseable {

  private final Path folder;
  private final ModelFiles files;
  private final Config config;
  private final MixtureKind kind;
  private final TensorFile tensors;
  private final int inner;
  private final int width;

  DenseCheckpoint(Path folder) {
    this.folder = folder;
    files = ModelFiles.folder(folder);
    byte[] json = files.read("config.json");
    if (json == null) {
      throw new FormatException(folder + ": there is no config.json in it");
    }
    config = Config.parse(folder.resolve("config.json").toString(), json);
    kind = MixtureKind.of(config);
    inner = config.positive("intermediate_size");
    width = config.positive("hidden_size");
    tensors = files.tensors();
  }

  Path folder() {
    return folder;
  }

  ModelFiles files() {
    return files;
  }

  Config config() {
    return config;
  }

  MixtureKind kind() {
    return kind;
  }

  TensorFile tensors() {
    return tensors;
  }

  int layers() {
    return config.positive("num_hidden_layers");
  }

  int inner() {
    return inner;
  }

  int width() {
    return width;
  }

  /**
   * A matrix of a layer's block.
   *
   * @param matrix its index in {@link MixtureKind#DENSE}
   * @throws FormatException if it is not there, has another shape, or is stored in blocks
   */
  StoredTensor matrix(int layer, int matrix) {
    String name = MixtureKind.dense(layer, matrix);
    StoredTensor tensor = tensors.tensors().get(name);
    if (tensor == null) {
      throw new FormatException(tensors.name() + ": the tensor " + name + " is not there");
    }
    boolean down = matrix == MixtureKind.DENSE.size() - 1;
    List<Long> shape = List.of((long) (down ? width : inner), (long) (down ? inner : width));
    if (!tensor.shape().equals(shape)) {
      throw new FormatException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s is %s; needed is %s",
              tensor.file(),
              name,
              tensor.shape(),
              shape));
    }
    if (tensor.format().blockLength() != 1) {
      throw new FormatException(
          String.format(
              Locale.ROOT,
              "%s: tensor %s is %s; experts are cut out of F32, F16 or BF16: convert first,"
                  + " quantise then",
              tensor.file(),
              name,
              tensor.type()));
    }
    return tensor;
  }

  /** Whether a tensor is one of a block's, which experts replace. */
  boolean isReplaced(String tensor) {
    return tensor.matches("model\\.layers\\.\\d+\\.mlp\\..*");
  }

  @Override
  public void close() {
    tensors.close();
  }
}
