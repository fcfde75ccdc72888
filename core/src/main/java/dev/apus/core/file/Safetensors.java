package dev.apus.core.file;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.Map;

/**
 * A safetensors file.
 *
 * @see <a href="https://huggingface.co/docs/safetensors">The safetensors format</a>
 */
public final class Safetensors implements TensorFile {

  /** The name of a folder's only file of tensors. */
  public static final String SINGLE = "model.safetensors";

  /** The name of the file that says which of several files of a folder has which tensor. */
  public static final String INDEX = "model.safetensors.index.json";

  private final MappedTensors mapped;
  private final Map<String, String> metadata;

  private Safetensors(MappedTensors mapped, Map<String, String> metadata) {
    this.mapped = mapped;
    this.metadata = metadata;
  }

  /**
   * Maps one file.
   *
   * @throws FormatException if it cannot be read or breaks a rule of the format
   */
  public static Safetensors open(Path file) {
    try (Source source = FileSource.open(file)) {
      return read(source);
    }
  }

  /**
   * Reads a file that is already in memory, which stays the caller's: closing does not free it.
   *
   * @param name what messages call it
   * @throws FormatException if it breaks a rule of the format
   */
  public static Safetensors of(String name, MemorySegment bytes) {
    try (Source source = Source.of(name, bytes)) {
      return read(source);
    }
  }

  /**
   * Maps the checkpoint in a folder: {@code model.safetensors}, or else the files that {@code
   * model.safetensors.index.json} lists.
   *
   * @throws FormatException if neither is there, a file breaks a rule of the format, or the index
   *     and the files disagree
   */
  public static TensorFile openFolder(Path folder) {
    return SafetensorsFolder.open(folder);
  }

  private static Safetensors read(Source source) {
    SafetensorsHeader header = SafetensorsHeader.read(source);
    return new Safetensors(
        MappedTensors.of(source.name(), source.map(), header.entries(), header.dataAt()),
        header.metadata());
  }

  @Override
  public Map<String, StoredTensor> tensors() {
    return mapped.tensors();
  }

  /** What the file says about itself. */
  public Map<String, String> metadata() {
    return metadata;
  }

  @Override
  public String name() {
    return mapped.name();
  }

  @Override
  public void release() {
    mapped.release();
  }

  @Override
  public void close() {
    mapped.close();
  }

  MappedTensors mapped() {
    return mapped;
  }
}
