package dev.apus.core.file;

import java.lang.foreign.MemorySegment;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Map;

/**
 * A GGUF file of version 2 or 3, or the several files into which one was split.
 *
 * @see <a href="https://github.com/ggml-org/ggml/blob/master/docs/gguf.md">The GGUF format</a>
 */
public final class Gguf implements TensorFile {

  private static final String PART = "split.no";
  private static final String PARTS = "split.count";
  private static final String TENSORS = "split.tensors.count";

  private final MappedTensors mapped;
  private final Map<String, Object> metadata;

  private Gguf(MappedTensors mapped, Map<String, Object> metadata) {
    this.mapped = mapped;
    this.metadata = metadata;
  }

  /**
   * Maps a file; if it is the first part of a split model, {@code …-00001-of-0000N.gguf}, the other
   * parts beside it too.
   *
   * @throws FormatException if a file cannot be read or breaks a rule of the format, or a part is
   *     missing
   */
  public static Gguf open(Path file) {
    Gguf first = openOne(file);
    try {
      return first.parts() > 1 ? join(first, file) : first;
    } catch (RuntimeException | Error e) {
      first.close();
      throw e;
    }
  }

  /**
   * Reads a file that is already in memory, which stays the caller's: closing does not free it.
   *
   * @param name what messages call it
   * @throws FormatException if it breaks a rule of the format, or is one part of several
   */
  public static Gguf of(String name, MemorySegment bytes) {
    try (Source source = Source.of(name, bytes)) {
      Gguf gguf = read(source);
      if (gguf.parts() > 1) {
        throw Place.file(name).error("is one of %d parts; open them as files", gguf.parts());
      }
      return gguf;
    }
  }

  /** The same metadata with other tensors. */
  Gguf with(Map<String, StoredTensor> others) {
    return new Gguf(MappedTensors.of(name(), others), metadata);
  }

  private static Gguf openOne(Path file) {
    try (Source source = FileSource.open(file)) {
      return read(source);
    }
  }

  private static Gguf read(Source source) {
    Mapping mapping = source.map();
    try {
      GgufHeader header = GgufHeader.read(source, mapping.bytes());
      return new Gguf(
          MappedTensors.of(source.name(), mapping, header.entries(), header.dataAt()),
          header.metadata());
    } catch (RuntimeException | Error e) {
      mapping.close();
      throw e;
    }
  }

  /** Opens the other parts; closes those again if it fails, and leaves the first to the caller. */
  private static Gguf join(Gguf first, Path file) {
    long parts = first.parts();
    String name = String.valueOf(file.getFileName());
    String suffix = suffix(1, parts);
    if (first.number(PART, 0) != 0 || !name.endsWith(suffix)) {
      throw Place.file(first.name())
          .error(
              "has split.no=%d and split.count=%d; open the first part, whose name ends in %s",
              first.number(PART, 0), parts, suffix);
    }
    String prefix = name.substring(0, name.length() - suffix.length());
    List<Gguf> opened = new ArrayList<>();
    try {
      for (long part = 1; part < parts; part++) {
        Gguf next = openOne(file.resolveSibling(prefix + suffix(part + 1, parts)));
        opened.add(next);
        next.requirePart(part, parts);
      }
      List<MappedTensors> all = new ArrayList<>(List.of(first.mapped));
      opened.forEach(part -> all.add(part.mapped));
      Gguf joined = new Gguf(MappedTensors.join(first.name(), all), first.metadata);
      joined.requireTensors();
      return joined;
    } catch (RuntimeException | Error e) {
      opened.forEach(Gguf::close);
      throw e;
    }
  }

  private static String suffix(long part, long parts) {
    return String.format(Locale.ROOT, "-%05d-of-%05d.gguf", part, parts);
  }

  private void requirePart(long part, long parts) {
    if (number(PART, -1) != part || number(PARTS, -1) != parts) {
      throw Place.file(name())
          .error(
              "has split.no=%d and split.count=%d; needed: %d and %d",
              number(PART, -1), number(PARTS, -1), part, parts);
    }
  }

  private void requireTensors() {
    long claimed = number(TENSORS, tensors().size());
    if (claimed != tensors().size()) {
      throw Place.file(name())
          .error("claims %d tensors in all parts; they have %d", claimed, tensors().size());
    }
  }

  private long parts() {
    return number(PARTS, 1);
  }

  private long number(String key, long absent) {
    return switch (metadata.get(key)) {
      case null -> absent;
      case Long number -> number;
      default -> throw new Place(name(), "metadata key", key).error("is no whole number");
    };
  }

  /**
   * The metadata by key, in the order of the file.
   *
   * <p>Whole numbers are {@code Long}, others {@code Double}; besides there are {@code Boolean} and
   * {@code String}. An array of strings is a {@code List<String>}, which stays in the file: reading
   * it is an {@link IllegalStateException} when this is closed. Any other array is a {@code byte[]}
   * (8 bits unsigned), {@code int[]} (up to 32 bits signed, 16 unsigned), {@code long[]}, {@code
   * float[]}, {@code double[]} or {@code boolean[]}, and must not be changed. Of a split model,
   * this is the first part's.
   */
  public Map<String, Object> metadata() {
    return metadata;
  }

  @Override
  public Map<String, StoredTensor> tensors() {
    return mapped.tensors();
  }

  @Override
  public String name() {
    return mapped.name();
  }

  @Override
  public void release() {
    mapped.release();
  }

  @Override
  public void close() {
    mapped.close();
  }
}
