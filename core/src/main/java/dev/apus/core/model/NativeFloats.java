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

  /** A huge page of the system; memory as large begins where one does. */
  public static final long HUGE_BYTES = 2 << 20;

  private static final int CHUNK_BYTES = 1 << 16;

  private static final Cleaner CLEANER = Cleaner.create();

  private final MemorySegment segment;
  private final Cleaner.Cleanable memory;

  private NativeFloats(long bytes) {
    Arena arena = Arena.ofShared();
    segment = arena.allocate(Math.max(64, bytes), bytes < HUGE_BYTES ? 64 : HUGE_BYTES);
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
    write(segment, out);
  }

  /** Fills the memory with what {@link #write(DataOutput)} wrote from memory of the same size. */
  public void read(DataInput in) throws IOException {
    read(in, segment);
  }

  /** Writes a part of such memory, like {@link #write(DataOutput)}. */
  public static void write(MemorySegment part, DataOutput out) throws IOException {
    byte[] chunk = new byte[(int) Math.min(part.byteSize(), CHUNK_BYTES)];
    for (long at = 0; at < part.byteSize(); at += chunk.length) {
      int length = (int) Math.min(chunk.length, part.byteSize() - at);
      MemorySegment.copy(part, at, MemorySegment.ofArray(chunk), 0, length);
      out.write(chunk, 0, length);
    }
  }

  /** Fills a part of such memory, like {@link #read(DataInput)}. */
  public static void read(DataInput in, MemorySegment part) throws IOException {
    byte[] chunk = new byte[(int) Math.min(part.byteSize(), CHUNK_BYTES)];
    for (long at = 0; at < part.byteSize(); at += chunk.length) {
      int length = (int) Math.min(chunk.length, part.byteSize() - at);
      in.readFully(chunk, 0, length);
      MemorySegment.copy(MemorySegment.ofArray(chunk), 0, part, at, length);
    }
  }

  /** Gives the memory back; closing again does nothing. */
  @Override
  public void close() {
    memory.clean();
  }
}
