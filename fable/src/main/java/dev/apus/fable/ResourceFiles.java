package dev.apus.fable;

import dev.apus.core.file.FormatException;
import dev.apus.core.file.Gguf;
import dev.apus.core.file.ModelFiles;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorFile;
import java.io.EOFException;
import java.io.IOException;
import java.io.InputStream;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.net.URL;
import java.net.URLConnection;
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

  private static final int PIECE = 1 << 18;

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
    String file = name + "/" + TENSORS;
    URL resource = ResourceFiles.class.getResource(folder + "/" + TENSORS);
    if (resource == null) {
      throw new FormatException(
          name + ": the jar has no " + TENSORS + "; it was built without its resources");
    }
    Arena arena = Arena.ofShared();
    try {
      return new Owned(Gguf.of(file, copy(resource.openConnection(), arena)), arena);
    } catch (IOException e) {
      arena.close();
      throw new FormatException(file + ": cannot be read: " + e, e);
    } catch (RuntimeException | Error e) {
      arena.close();
      throw e;
    }
  }

  /**
   * Reads a piece at a time: as one array, the tensors would fill the heap before they leave it.
   */
  private static MemorySegment copy(URLConnection from, Arena arena) throws IOException {
    try (InputStream in = from.getInputStream()) {
      long size = from.getContentLengthLong();
      if (size < 0) {
        // Not every class loader knows.
        MemorySegment all = MemorySegment.ofArray(in.readAllBytes());
        return arena.allocate(all.byteSize(), ALIGNMENT).copyFrom(all);
      }
      MemorySegment memory = arena.allocate(size, ALIGNMENT);
      byte[] piece = new byte[PIECE];
      for (long at = 0; at < size; ) {
        int count = in.readNBytes(piece, 0, (int) Math.min(PIECE, size - at));
        if (count == 0) {
          throw new EOFException("it ends after " + at + " bytes of " + size);
        }
        MemorySegment.copy(piece, 0, memory, ValueLayout.JAVA_BYTE, at, count);
        at += count;
      }
      return memory;
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
