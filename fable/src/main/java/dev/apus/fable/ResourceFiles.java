package dev.apus.fable;

import dev.apus.core.file.FormatException;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Map;

/**
 * The files of a model that lie beside this class, in a folder or in a jar. Nothing is unpacked to
 * disk: the tensors are read into memory outside the heap, which closing them gives back.
 *
 * @param name for messages
 * @param folder relative to this package
 */
record ResourceFiles(String name, String folder) implements ModelFiles {

  private static final String TENSORS = "model.gguf";

  /** What all models have in common, for those that have none of their own. */
  private static final String COMMON = "common";

  /** Blocks of weights are read as they lie, and kernels like them where a cache line begins. */
  private static final int ALIGNMENT = 64;

  @Override
  public byte[] read(String file) {
    byte[] own = read(folder, file);
    return own == null && !file.equals(TENSORS) ? read(COMMON, file) : own;
  }

  private byte[] read(String from, String file) {
    String resource = from + "/" + file;
    try (InputStream in = ResourceFiles.class.getResourceAsStream(resource)) {
      return in == null ? null : in.readAllBytes();
    } catch (IOException e) {
      throw new FormatException(name + "/" + file + ": cannot be read: " + e, e);
    }
  }

  @Override
  public TensorFile tensors() {
    byte[] bytes = read(TENSORS);
    if (bytes == null) {
      throw new FormatException(
          name + ": the jar has no " + TENSORS + "; it was built without its resources");
    }
    Arena arena = Arena.ofShared();
    try {
      MemorySegment memory = arena.allocate(bytes.length, ALIGNMENT);
      memory.copyFrom(MemorySegment.ofArray(bytes));
      return new Owned(Gguf.of(name + "/" + TENSORS, memory), arena);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /** Tensors together with the memory they lie in. */
  private record Owned(TensorFile file, Arena arena) implements TensorFile {

    @Override
    public Map<String, StoredTensor> tensors() {
      return file.tensors();
    }

    @Override
    public String name() {
      return file.name();
    }

    @Override
    public void close() {
      file.close();
      if (arena.scope().isAlive()) {
        arena.close();
      }
    }
  }
}
