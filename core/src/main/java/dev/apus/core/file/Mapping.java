package dev.apus.core.file;

import java.lang.foreign.MemorySegment;
import java.util.concurrent.atomic.AtomicBoolean;

/** Bytes that stay readable until this is closed. */
final class Mapping implements AutoCloseable {

  private final MemorySegment bytes;
  private final Runnable unmap;
  private final AtomicBoolean closed = new AtomicBoolean();

  Mapping(MemorySegment bytes, Runnable unmap) {
    this.bytes = bytes;
    this.unmap = unmap;
  }

  MemorySegment bytes() {
    return bytes;
  }

  void release() {
    release(bytes);
  }

  /** Lets the system take back the pages of a file that reading has filled, if it is a file's. */
  static void release(MemorySegment bytes) {
    if (bytes.isMapped() && bytes.byteSize() > 0) {
      bytes.unload();
    }
  }

  @Override
  public void close() {
    if (closed.compareAndSet(false, true)) {
      unmap.run();
    }
  }
}
