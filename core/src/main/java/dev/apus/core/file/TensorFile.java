package dev.apus.core.file;

import java.util.Map;

/**
 * The tensors of one checkpoint, mapped read-only.
 *
 * <p>Opening checks every tensor, also those that nobody will use: its place lies in the file, its
 * size fits its shape, and no two share a byte.
 */
public interface TensorFile extends AutoCloseable {

  /**
   * The tensors by name, in the order of the file.
   *
   * @throws IllegalStateException if this is closed
   */
  Map<String, StoredTensor> tensors();

  /** The name of the file or folder, for messages. */
  String name();

  /**
   * Lets the system take back the pages that reading has filled; they are read again when they are
   * touched. Does nothing to what no file backs.
   */
  default void release() {}

  /**
   * Unmaps the file; from then on, touching the data of its tensors is an {@link
   * IllegalStateException}. Closing again does nothing.
   */
  @Override
  void close();
}
