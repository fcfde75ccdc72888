package dev.apus.core.hub;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.LongBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;

/**
 * How much of each part of a file has come, kept beside the file so that a later process goes on.
 *
 * <p>What it says is there was written before; whether it is right, the file's digest tells.
 */
final class Parts {

  /** A part goes over one connection; large files have several at once. */
  private static final long PART_BYTES = 64L << 20;

  private final Path note;
  private final long size;
  private final long[] received;

  private Parts(Path note, long size, long[] received) {
    this.note = note;
    this.size = size;
    this.received = received;
  }

  /** What an earlier process noted, or nothing received yet. */
  static Parts of(Path note, long size) throws IOException {
    Parts parts = new Parts(note, size, new long[(int) Math.ceilDiv(size, PART_BYTES)]);
    if (Files.isRegularFile(note)) {
      parts.take(ByteBuffer.wrap(Files.readAllBytes(note)).asLongBuffer());
    }
    return parts;
  }

  private void take(LongBuffer noted) {
    if (noted.remaining() != received.length) {
      return;
    }
    for (int part = 0; part < received.length; part++) {
      long bytes = noted.get(part);
      received[part] = bytes >= 0 && bytes <= bytes(part) ? bytes : 0;
    }
  }

  int count() {
    return received.length;
  }

  /** Where a part begins. */
  long start(int part) {
    return part * PART_BYTES;
  }

  long bytes(int part) {
    return Math.min(PART_BYTES, size - start(part));
  }

  synchronized long received(int part) {
    return received[part];
  }

  synchronized long received() {
    long sum = 0;
    for (long bytes : received) {
      sum += bytes;
    }
    return sum;
  }

  boolean isComplete(int part) {
    return received(part) == bytes(part);
  }

  synchronized void add(int part, long bytes) {
    received[part] += bytes;
  }

  /** Writes down what has come. */
  synchronized void save() throws IOException {
    ByteBuffer bytes = ByteBuffer.allocate(Long.BYTES * received.length);
    bytes.asLongBuffer().put(received);
    Path draft = note.resolveSibling(note.getFileName() + ".tmp");
    Files.write(draft, bytes.array());
    Files.move(draft, note, StandardCopyOption.REPLACE_EXISTING);
  }

  void forget() throws IOException {
    Files.deleteIfExists(note);
  }
}
