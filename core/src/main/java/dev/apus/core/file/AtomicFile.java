package dev.apus.core.file;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.nio.channels.FileChannel;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.UUID;

/**
 * Writes a file beside its place and moves it there when it is complete and on disk, so that a
 * failure leaves the old file, and a file may be written over one that is mapped.
 */
public final class AtomicFile {

  private static final int STAGING_BYTES = 1 << 20;

  private AtomicFile() {}

  /** What writes the content. */
  public interface Content {
    void writeTo(WritableByteChannel out) throws IOException;
  }

  /** Writes a file; if that fails, what was there before is still there. */
  public static void write(Path file, Content content) throws IOException {
    Path draft = file.resolveSibling(file.getFileName() + "." + UUID.randomUUID() + ".tmp");
    try {
      try (FileChannel out =
          FileChannel.open(draft, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
        content.writeTo(out);
        out.force(true);
      }
      Files.move(draft, file, StandardCopyOption.ATOMIC_MOVE);
    } finally {
      Files.deleteIfExists(draft);
    }
  }

  /** The content as it would stand in a file. */
  static byte[] toBytes(Content content) {
    var bytes = new ByteArrayOutputStream();
    try {
      content.writeTo(Channels.newChannel(bytes));
    } catch (IOException e) {
      throw new IllegalStateException("memory failed as if it were a file", e);
    }
    return bytes.toByteArray();
  }

  /** Writes a segment of any kind and length. */
  static void write(WritableByteChannel out, MemorySegment data) throws IOException {
    ByteBuffer staging =
        ByteBuffer.allocate((int) Math.min(STAGING_BYTES, Math.max(1, data.byteSize())));
    for (long at = 0; at < data.byteSize(); ) {
      int count = (int) Math.min(staging.capacity(), data.byteSize() - at);
      MemorySegment.ofBuffer(staging.clear()).copyFrom(data.asSlice(at, count));
      write(out, staging.limit(count));
      at += count;
    }
  }

  static void write(WritableByteChannel out, ByteBuffer bytes) throws IOException {
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }
}
