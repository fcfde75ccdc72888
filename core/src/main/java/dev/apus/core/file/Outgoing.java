package dev.apus.core.file;

import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.List;

/**
 * A tensor on its way into a file.
 *
 * @param data the bytes, or {@link MemorySegment#NULL} if they are yet to be made
 */
record Outgoing(
    String name,
    String type,
    List<Long> shape,
    long bytes,
    MemorySegment data,
    TensorContent content,
    Place place) {

  static Outgoing of(StoredTensor tensor) {
    return new Outgoing(
        tensor.name(),
        tensor.type(),
        tensor.shape(),
        tensor.data().byteSize(),
        tensor.data(),
        out -> AtomicFile.write(out, tensor.data()),
        tensor.place());
  }

  static Outgoing made(
      String name, String type, List<Long> shape, long bytes, TensorContent content, Place place) {
    return new Outgoing(name, type, List.copyOf(shape), bytes, MemorySegment.NULL, content, place);
  }

  /** Writes the bytes, and nothing but as many as were promised. */
  void writeTo(WritableByteChannel out) throws IOException {
    var counted = new Counted(out);
    content.writeTo(counted);
    if (counted.written != bytes) {
      throw new IllegalStateException(
          place + " wrote " + counted.written + " bytes; needed: " + bytes);
    }
  }

  private static final class Counted implements WritableByteChannel {

    private final WritableByteChannel out;
    private long written;

    Counted(WritableByteChannel out) {
      this.out = out;
    }

    @Override
    public int write(ByteBuffer source) throws IOException {
      int count = out.write(source);
      written += count;
      return count;
    }

    @Override
    public boolean isOpen() {
      return out.isOpen();
    }

    @Override
    public void close() {
      throw new UnsupportedOperationException("the file's writer closes the file");
    }
  }
}
