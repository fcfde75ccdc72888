package dev.apus.core.weight;

import dev.apus.core.compute.Workers;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;

/**
 * Writes rows of values in a weight format: a few at a time and by all threads, so that a tensor
 * may be larger than the memory.
 */
final class RowWriter {

  /** Values that are made before they are written. */
  private static final int CHUNK = 1 << 22;

  /** Values of one part of a thread's work. */
  private static final int PART = 1 << 16;

  /** Where the values of a row come from; asked by several threads. */
  @FunctionalInterface
  interface Reader {
    void read(int row, float[] values);
  }

  /** Sees what becomes of each row; told by several threads. */
  @FunctionalInterface
  interface Listener {
    void encoded(float[] values, WeightFormat format, MemorySegment data, long at);
  }

  private final Workers workers;
  private final Listener listener;

  /**
   * @param listener may be null
   */
  RowWriter(Workers workers, Listener listener) {
    this.workers = workers;
    this.listener = listener;
  }

  void write(int count, int cols, WeightFormat format, Reader reader, WritableByteChannel out)
      throws IOException {
    long rowBytes = format.rowBytes(cols);
    int chunk = Math.clamp(CHUNK / cols, 1, Math.max(1, count));
    int part = Math.clamp(PART / cols, 1, chunk);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment data = arena.allocate(chunk * rowBytes, 64);
      for (int from = 0; from < count; from += chunk) {
        int first = from;
        int rows = Math.min(chunk, count - from);
        workers.run(
            Math.ceilDiv(rows, part),
            (p, worker) -> {
              float[] values = new float[cols];
              for (int row = p * part; row < Math.min(rows, (p + 1) * part); row++) {
                reader.read(first + row, values);
                format.codec().encode(values, 0, data, row * rowBytes, cols);
                if (listener != null) {
                  listener.encoded(values, format, data, row * rowBytes);
                }
              }
            });
        write(data.asSlice(0, rows * rowBytes), out);
      }
    }
  }

  /** Writes bytes as they are. */
  static void write(MemorySegment data, WritableByteChannel out) throws IOException {
    for (long at = 0; at < data.byteSize(); ) {
      int count = (int) Math.min(CHUNK, data.byteSize() - at);
      ByteBuffer bytes = data.asSlice(at, count).asByteBuffer();
      while (bytes.hasRemaining()) {
        out.write(bytes);
      }
      at += count;
    }
  }
}
