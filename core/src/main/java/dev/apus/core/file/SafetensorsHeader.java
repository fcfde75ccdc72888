package dev.apus.core.file;

import dev.apus.core.json.JsonFault;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * The header of a safetensors file: a length of 8 bytes, and JSON that says where each tensor lies
 * in the data behind it. The tensors cover the data to the last byte, without holes or overlaps.
 *
 * @param entries the tensors, in the order of the header
 * @param metadata what the file says about itself
 * @param dataAt where the data begins in the file
 */
record SafetensorsHeader(List<Entry> entries, Map<String, String> metadata, long dataAt) {

  /** The longest header that the format allows. */
  private static final long LONGEST = 100_000_000;

  private static final int LENGTH_BYTES = 8;

  /** Reads the header and checks all that it claims. */
  static SafetensorsHeader read(Source source) {
    Place file = Place.file(source.name());
    byte[] json = new byte[length(source, file)];
    source.read(LENGTH_BYTES, ByteBuffer.wrap(json));
    try {
      var parser = new SafetensorsParser(source.name(), json);
      List<Entry> entries = parser.parse();
      long dataAt = LENGTH_BYTES + json.length;
      requireCover(entries, file, source.size() - dataAt);
      return new SafetensorsHeader(entries, parser.metadata(), dataAt);
    } catch (JsonFault e) {
      throw new FormatException(
          file + " header, line " + e.line() + ", column " + e.column() + ": " + e.getMessage(), e);
    }
  }

  private static int length(Source source, Place file) {
    if (source.size() < LENGTH_BYTES) {
      throw file.error("has %d bytes; a safetensors file has at least 8", source.size());
    }
    ByteBuffer start = ByteBuffer.allocate(LENGTH_BYTES).order(ByteOrder.LITTLE_ENDIAN);
    source.read(0, start);
    long length = start.getLong(0);
    if (length < 0 || length > LONGEST) {
      throw file.error(
          "claims a header of %s bytes; safetensors allows %d%s",
          Long.toUnsignedString(length), LONGEST, source.lookalike());
    }
    long left = source.size() - LENGTH_BYTES;
    if (length > left) {
      throw file.error(
          "claims a header of %d bytes, and %d follow; the file is cut short", length, left);
    }
    return (int) length;
  }

  private static void requireCover(List<Entry> entries, Place file, long dataBytes) {
    List<Entry> sorted = new ArrayList<>(entries);
    sorted.sort(Comparator.comparingLong(Entry::at).thenComparingLong(Entry::bytes));
    long end = 0;
    for (Entry entry : sorted) {
      if (entry.at() != end) {
        throw Place.tensor(file.file(), entry.name())
            .error(
                "begins at byte %d of the data; the one before it ends at %d, so they %s",
                entry.at(), end, entry.at() > end ? "leave a hole" : "overlap");
      }
      end = entry.at() + entry.bytes();
    }
    if (end > dataBytes) {
      throw Place.tensor(file.file(), sorted.getLast().name())
          .error("ends at byte %d of %d bytes of data; the file is cut short", end, dataBytes);
    }
    if (end < dataBytes) {
      throw file.error("has %d bytes after its last tensor", dataBytes - end);
    }
  }
}
