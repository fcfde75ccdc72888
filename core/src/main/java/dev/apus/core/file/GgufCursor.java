package dev.apus.core.file;

import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.CharacterCodingException;
import java.nio.charset.StandardCharsets;

/**
 * Reads the header of a GGUF file front to back, in pieces of a few kilobytes.
 *
 * <p>Nothing is allocated before it is certain that the file holds as many bytes.
 */
final class GgufCursor {

  private static final int WINDOW_BYTES = 1 << 16;

  /** The longest string or array: no vocabulary of today takes a tenth. */
  private static final long LONGEST_VALUE = 64 << 20;

  private final Source source;
  private final MemorySegment mapped;
  private final ByteBuffer window;
  private long windowAt;
  private Place place;

  /**
   * @param mapped all bytes of the source, for what is read again later
   */
  GgufCursor(Source source, MemorySegment mapped) {
    this.source = source;
    this.mapped = mapped;
    this.window = ByteBuffer.allocate(WINDOW_BYTES).order(ByteOrder.LITTLE_ENDIAN).limit(0);
    this.place = Place.file(source.name());
  }

  /** Says what is read next, for messages. */
  void enter(Place next) {
    place = next;
  }

  Place place() {
    return place;
  }

  long position() {
    return windowAt + window.position();
  }

  /** What has been read from {@code start} on, as it lies in the file. */
  MemorySegment mapped(long start) {
    return mapped.asSlice(start, position() - start);
  }

  long remaining() {
    return source.size() - position();
  }

  byte i8() {
    need(Byte.BYTES);
    return window.get();
  }

  short i16() {
    need(Short.BYTES);
    return window.getShort();
  }

  int i32() {
    need(Integer.BYTES);
    return window.getInt();
  }

  long u32() {
    return Integer.toUnsignedLong(i32());
  }

  long i64() {
    need(Long.BYTES);
    return window.getLong();
  }

  /** A number of 64 bits, of which half the range is more than any file needs. */
  long u64(String what) {
    long value = i64();
    if (value < 0) {
      throw place.error("has %s as its %s, which is too large", Long.toUnsignedString(value), what);
    }
    return value;
  }

  /** UTF-8 text behind its length, at most {@code longest} bytes of it. */
  String string(String what, long longest) {
    long length = u64(what + " length");
    if (length > Math.min(longest, LONGEST_VALUE)) {
      throw place.error(
          "has a %s of %d bytes; at most %d make sense",
          what, length, Math.min(longest, LONGEST_VALUE));
    }
    if (length == 0) {
      return "";
    }
    try {
      return StandardCharsets.UTF_8.newDecoder().decode(bytes(length)).toString();
    } catch (CharacterCodingException e) {
      throw place.error("has a %s that is not UTF-8", what);
    }
  }

  /** Refuses a value that began at {@code start} and is longer than any file needs. */
  void requireSensible(long start) {
    requireSensibleLength(position() - start);
  }

  /** The next bytes, little-endian. */
  ByteBuffer bytes(long count) {
    requireSensibleLength(count);
    requireLeft(count);
    ByteBuffer bytes = ByteBuffer.allocate((int) count).order(ByteOrder.LITTLE_ENDIAN);
    if (count <= window.remaining()) {
      bytes.put(window.slice(window.position(), (int) count)).flip();
      window.position(window.position() + (int) count);
    } else {
      long at = position();
      source.read(at, bytes);
      bytes.flip();
      windowAt = at + count;
      window.limit(0);
    }
    return bytes;
  }

  private void requireSensibleLength(long count) {
    if (count > LONGEST_VALUE) {
      throw place.error("takes %d bytes; at most %d make sense", count, LONGEST_VALUE);
    }
  }

  private void need(int count) {
    if (window.remaining() >= count) {
      return;
    }
    requireLeft(count);
    windowAt = position();
    window.clear().limit((int) Math.min(WINDOW_BYTES, source.size() - windowAt));
    source.read(windowAt, window);
    window.flip();
  }

  private void requireLeft(long count) {
    if (count > remaining()) {
      throw place.error(
          "needs %d bytes at byte %d of a file of %d; the file is cut short",
          count, position(), source.size());
    }
  }
}
