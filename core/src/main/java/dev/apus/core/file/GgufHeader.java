package dev.apus.core.file;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;

/**
 * The header of a GGUF file: metadata, and where each tensor lies in the data behind it. Tensors
 * follow one another in the order of the header, each padded to the alignment.
 *
 * @param entries the tensors, in the order of the file
 * @param metadata values as {@link GgufType#value} reads them, in the order of the file
 * @param dataAt where the data begins in the file
 */
record GgufHeader(List<Entry> entries, Map<String, Object> metadata, long dataAt) {

  static final int DEFAULT_ALIGNMENT = 32;
  static final String ALIGNMENT = "general.alignment";
  static final int LARGEST_ALIGNMENT = 1 << 20;

  private static final byte[] MAGIC = {'G', 'G', 'U', 'F'};
  private static final int MOST_DIMENSIONS = 4;
  private static final int LONGEST_KEY = 65_535;
  private static final int LONGEST_NAME = 1_024;

  /** More of either than any model has by far, and still little memory. */
  private static final long MOST_TENSORS = 1_000_000;

  private static final long MOST_KEYS = 1_000_000;

  /** No metadata of today takes a tenth. */
  private static final long LARGEST_METADATA = 256 << 20;

  /** A length, a letter, a type and a value of one byte. */
  private static final int SMALLEST_PAIR = 8 + 1 + 4 + 1;

  /** A length, a letter, a number of dimensions, a type and an offset. */
  private static final int SMALLEST_TENSOR = 8 + 1 + 4 + 4 + 8;

  /**
   * Reads the header and checks all that it claims.
   *
   * @param mapped all bytes of the source, in which texts stay
   */
  static GgufHeader read(Source source, MemorySegment mapped) {
    var in = new GgufCursor(source, mapped);
    requireMagic(in, source);
    requireVersion(in);
    long tensorCount = in.u64("number of tensors");
    long keyCount = in.u64("number of metadata keys");
    requireRoom(in, tensorCount, keyCount);
    Map<String, Object> metadata = readMetadata(in, source.name(), keyCount);
    List<Entry> entries = readEntries(in, source.name(), tensorCount);
    long alignment = alignment(metadata, source.name());
    long dataAt = Sizes.align(in.position(), alignment, Place.file(source.name()));
    requireOrder(entries, dataAt, alignment, source);
    return new GgufHeader(entries, Collections.unmodifiableMap(metadata), dataAt);
  }

  private static void requireMagic(GgufCursor in, Source source) {
    byte[] magic = new byte[MAGIC.length];
    for (int i = 0; i < magic.length; i++) {
      magic[i] = in.i8();
    }
    if (!Arrays.equals(magic, MAGIC)) {
      throw in.place().error("does not start with GGUF%s", source.lookalike());
    }
  }

  private static void requireVersion(GgufCursor in) {
    int version = in.i32();
    if (version == 2 || version == 3) {
      return;
    }
    int swapped = Integer.reverseBytes(version);
    if (swapped == 2 || swapped == 3) {
      throw in.place().error("is big-endian; convert it to little-endian");
    }
    if (version == 1) {
      throw in.place().error("is GGUF version 1, of 2023; convert the model anew, to version 3");
    }
    throw in.place()
        .error("is GGUF version %s; supported: 2 and 3", Integer.toUnsignedString(version));
  }

  private static void requireRoom(GgufCursor in, long tensors, long keys) {
    if (tensors > MOST_TENSORS || keys > MOST_KEYS) {
      throw in.place()
          .error(
              "claims %d tensors and %d metadata keys; at most %d and %d make sense",
              tensors, keys, MOST_TENSORS, MOST_KEYS);
    }
    long needed = tensors * SMALLEST_TENSOR + keys * SMALLEST_PAIR;
    if (needed > in.remaining()) {
      throw in.place()
          .error(
              "claims %d tensors and %d metadata keys, which take %d bytes at least; %d follow,"
                  + " so the file is cut short",
              tensors, keys, needed, in.remaining());
    }
  }

  private static Map<String, Object> readMetadata(GgufCursor in, String file, long count) {
    Map<String, Object> metadata = new LinkedHashMap<>();
    for (long i = 0; i < count; i++) {
      in.enter(new Place(file, "metadata key number", Long.toString(i + 1)));
      String key = in.string("name", LONGEST_KEY);
      if (key.isEmpty()) {
        throw in.place().error("has an empty name");
      }
      in.enter(new Place(file, "metadata key", key));
      if (metadata.containsKey(key)) {
        throw in.place().error("is there twice");
      }
      metadata.put(key, readValue(in, key));
      if (in.position() > LARGEST_METADATA) {
        throw in.place()
            .error("ends at byte %d; at most %d make sense", in.position(), LARGEST_METADATA);
      }
    }
    return metadata;
  }

  private static Object readValue(GgufCursor in, String key) {
    GgufType type = GgufType.read(in);
    if (key.equals(ALIGNMENT) && type != GgufType.UINT32) {
      throw in.place().error("is %s; needed: UINT32", type);
    }
    return type.value(in);
  }

  private static long alignment(Map<String, Object> metadata, String file) {
    if (!(metadata.get(ALIGNMENT) instanceof Long alignment)) {
      return DEFAULT_ALIGNMENT;
    }
    if (Long.bitCount(alignment) != 1 || alignment > LARGEST_ALIGNMENT) {
      throw new Place(file, "metadata key", ALIGNMENT)
          .error("is %d; needed: a power of two up to %d", alignment, LARGEST_ALIGNMENT);
    }
    return alignment;
  }

  private static List<Entry> readEntries(GgufCursor in, String file, long count) {
    List<Entry> entries = new ArrayList<>((int) count);
    Set<String> names = new HashSet<>();
    for (long i = 0; i < count; i++) {
      in.enter(new Place(file, "tensor number", Long.toString(i + 1)));
      String name = in.string("name", LONGEST_NAME);
      if (name.isEmpty()) {
        throw in.place().error("has an empty name");
      }
      in.enter(Place.tensor(file, name));
      if (!names.add(name)) {
        throw in.place().error("is there twice");
      }
      List<Long> shape = readShape(in);
      GgmlType type = GgmlType.of(in.u32(), in.place());
      long offset = in.u64("offset");
      entries.add(new Entry(name, type.name(), shape, offset, type.bytes(shape, in.place())));
    }
    return entries;
  }

  /** Dimensions lie innermost first in the file. */
  private static List<Long> readShape(GgufCursor in) {
    long dimensions = in.u32();
    if (dimensions > MOST_DIMENSIONS) {
      throw in.place().error("has %d dimensions; at most %d", dimensions, MOST_DIMENSIONS);
    }
    List<Long> shape = new ArrayList<>();
    for (int i = 0; i < dimensions; i++) {
      shape.addFirst(in.u64("dimension"));
    }
    requireShape(shape, in.place());
    return List.copyOf(shape);
  }

  static void requireShape(List<Long> shape, Place place) {
    if (shape.size() > MOST_DIMENSIONS) {
      throw place.error("has %d dimensions; at most %d", shape.size(), MOST_DIMENSIONS);
    }
    for (long length : shape) {
      if (length < 1 || length > Sizes.LARGEST_DIMENSION) {
        throw place.error(
            "has a dimension of %d; needed: 1 to %d", length, Sizes.LARGEST_DIMENSION);
      }
    }
  }

  /** Every tensor begins where the one before it ends, padded, and the last one ends the file. */
  private static void requireOrder(
      List<Entry> entries, long dataAt, long alignment, Source source) {
    long next = dataAt;
    for (Entry entry : entries) {
      Place place = Place.tensor(source.name(), entry.name());
      if (entry.at() != next - dataAt) {
        throw place.error("has offset %d; needed: %d", entry.at(), next - dataAt);
      }
      long end = Sizes.plus(next, entry.bytes(), place);
      if (end > source.size()) {
        throw place.error(
            "ends at byte %d of a file of %d; the file is cut short", end, source.size());
      }
      next = Sizes.align(end, alignment, place);
    }
    if (source.size() > next) {
      throw Place.file(source.name())
          .error("has %d bytes after its last tensor", source.size() - next);
    }
  }
}
