package dev.apus.core.file;

import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;

/**
 * Reads what {@link SealedOutput} wrote, and hands out no byte that is not as it was written.
 *
 * <p>Takes exactly the bytes that were written from the stream it reads, which may hold more. Its
 * methods throw {@link FormatException}, which names the file and the place, for damage and for
 * what cannot be read.
 */
public final class SealedInput extends InputStream {

  private final InputStream in;
  private final Place place;
  private final String kind;
  private final byte[] block = new byte[SealedOutput.BLOCK_BYTES];
  private int used;
  private int length;
  private int number;
  private long at;
  private long total;
  private boolean ended;

  /**
   * @param name of the file, for messages
   * @param kind what the content is, for messages: "a saved session"
   * @throws FormatException if the stream holds something else, or another version of it
   */
  public SealedInput(InputStream in, String name, String kind, String magic, int version) {
    this.in = in;
    this.place = Place.file(name);
    this.kind = kind;
    byte[] found = new byte[8];
    take(found, found.length, "the beginning");
    if (!Arrays.equals(found, SealedOutput.magic(magic))) {
      throw place.error("is not %s: it begins with %s; needed: \"%s\"", kind, hex(found), magic);
    }
    int foundVersion = takeInt("the version");
    if (foundVersion != version) {
      throw place.error(
          "is %s of version %d; needed: version %d, which this release writes and reads",
          kind, foundVersion, version);
    }
  }

  private static String hex(byte[] bytes) {
    return HexFormat.of().formatHex(bytes);
  }

  /** An error in the content, which begins with the name of the file. */
  public FormatException error(String predicate, Object... values) {
    return place.error(predicate, values);
  }

  private int takeInt(String what) {
    byte[] bytes = new byte[Integer.BYTES];
    take(bytes, bytes.length, what);
    return ByteBuffer.wrap(bytes).getInt();
  }

  private void take(byte[] into, int count, String what) {
    int taken;
    try {
      taken = in.readNBytes(into, 0, count);
    } catch (IOException e) {
      throw new FormatException(place + " cannot be read at byte " + at + ": " + e.getMessage(), e);
    }
    if (taken < count) {
      throw place.error(
          "ends at byte %d, within %s; needed there: %d bytes more; the file is cut short",
          at + taken, what, count - taken);
    }
    at += count;
  }

  /** Takes the next block; false if there is none. */
  private boolean next() {
    if (ended) {
      return false;
    }
    String what = "block " + number;
    long start = at;
    int claimed = takeInt(what);
    if (claimed < 0 || claimed > block.length) {
      throw place.error(
          "is damaged at byte %d: %s has %d bytes; needed: 0 to %d",
          start, what, claimed, block.length);
    }
    int count = claimed == 0 ? Long.BYTES : claimed;
    take(block, count, what);
    int needed = SealedOutput.checksum(number, claimed, block, count);
    int found = takeInt(what);
    if (found != needed) {
      throw place.error(
          "is damaged between bytes %d and %d: the checksum of %s is %08x; needed: %08x",
          start, at, what, found, needed);
    }
    number++;
    if (claimed > 0) {
      used = 0;
      length = claimed;
      total += claimed;
      return true;
    }
    ended = true;
    length = 0;
    used = 0;
    long written = ByteBuffer.wrap(block).getLong();
    if (written != total) {
      throw place.error("holds %d bytes of content; needed: %d", total, written);
    }
    return false;
  }

  @Override
  public int read() {
    return used < length || next() ? block[used++] & 0xff : -1;
  }

  @Override
  public int read(byte[] into, int offset, int count) {
    if (count == 0) {
      return 0;
    }
    if (used == length && !next()) {
      return -1;
    }
    int given = Math.min(count, length - used);
    System.arraycopy(block, used, into, offset, given);
    used += given;
    return given;
  }

  /**
   * Makes sure that the content ends here.
   *
   * @throws FormatException if it does not
   */
  public void finish() {
    if (used < length || next()) {
      throw place.error("holds more than %s does: content is left after its end", kind);
    }
  }

  /**
   * Makes sure that the content and the stream end here.
   *
   * @throws FormatException if one does not
   */
  public void finishFile() {
    finish();
    try {
      if (in.read() >= 0) {
        throw place.error("goes on after its end at byte %d; needed: nothing more", at);
      }
    } catch (IOException e) {
      throw new FormatException(place + " cannot be read at byte " + at + ": " + e.getMessage(), e);
    }
  }
}
