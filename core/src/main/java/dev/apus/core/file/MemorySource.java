package dev.apus.core.file;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;

/** A file's bytes that somebody else holds in memory. */
record MemorySource(String name, MemorySegment bytes) implements Source {

  @Override
  public long size() {
    return bytes.byteSize();
  }

  @Override
  public void read(long at, ByteBuffer into) {
    int count = into.remaining();
    MemorySegment.ofBuffer(into).copyFrom(bytes.asSlice(at, count));
    into.position(into.position() + count);
  }

  @Override
  public Mapping map() {
    return new Mapping(bytes, () -> {});
  }

  @Override
  public void close() {}
}
