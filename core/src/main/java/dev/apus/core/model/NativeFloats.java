package dev.apus.core.model;

import java.io.DataInput;
import java.io.DataOutput;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.Cleaner;

/**
 * State memory: bytes outside the heap, aligned for vectors, zero at first and given back on close,
 * or when nobody can reach it any more.
 */
public final class NativeFloats implements AutoCloseable {

  private static final Cleaner CLEANER = Cleaner.create();

  private final MemorySegment segment;
  private final Cleaner.Cleanable memory;

  private NativeFloats(long bytes) {
    Arena arena = Arena.ofShared();
    segment = arena.allocate(Math.max(64, bytes), 64);
    memory = CLEANER.register(this, arena::close);
  }

  /** Memory of this many bytes. */
  public static NativeFloats ofBytes(long bytes) {
    return new NativeFloats(bytes);
  }

  public MemorySegment segment() {
    return segment;
  }

  public long bytes() {
    return segment.byteSize();
  }

  /** Independent memory with the same content. */
  public NativeFloats copy() {
    NativeFloats copy = new NativeFloats(segment.byteSize());
    copy.segment.copyFrom(segment);
    return copy;
  }

  /** Writes the content as bytes in little-endian order. */
  public void write(DataOutput out) throws IOException {
    byte[] chunk = new byte[(int) Math.min(segment.byteSize(), 1 << 16)];
    for (long at = 0; at < segment.byteSize(); at += chunk.length) {
      int length = (int) Math.min(chunk.length, segment.byteSize() - at);
      MemorySegment.copy(segment, at, MemorySegment.ofArray(chunk), 0, length);
      out.write(chunk, 0, length);
    }
  }

  /** Fills the memory with what {@link #write} wrote from memory of the same size. */
  public void read(DataInput in) throws IOException {
    byte[] chunk = new byte[(int) Math.min(segment.byteSize(), 1 << 16)];
    for (long at = 0; at < segment.byteSize(); at += chunk.length) {
      int length = (int) Math.min(chunk.length, segment.byteSize() - at);
      in.readFully(chunk, 0, length);
      MemorySegment.copy(MemorySegment.ofArray(chunk), 0, segment, at, length);
    }
  }

  /** Gives the memory back; closing again does nothing. */
  @Override
  public void close() {
    memory.clean();
  }
}
