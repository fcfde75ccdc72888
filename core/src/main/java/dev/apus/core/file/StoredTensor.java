package dev.apus.core.file;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Collectors;

/**
 * One tensor as it lies in its file.
 *
 * @param file the name of the file, for messages
 * @param type the file's word for how values are stored: {@code F32}, {@code Q4_K}, {@code I64}, …
 * @param shape outermost dimension first, row-major; empty for a single value
 * @param data the bytes, little-endian, at any alignment
 */
public record StoredTensor(
    String file, String name, String type, List<Long> shape, MemorySegment data) {

  public StoredTensor {
    shape = List.copyOf(shape);
  }

  /**
   * The type as a format that can be computed with.
   *
   * @throws FormatException if there is none, or the data has another size than it needs
   */
  public WeightFormat format() {
    for (WeightFormat format : WeightFormat.values()) {
      if (format.name().equals(type)) {
        requireBytes(Sizes.bytes(shape, format.blockLength(), format.blockBytes(), type, place()));
        return format;
      }
    }
    throw place()
        .error(
            "is %s, which cannot be computed with; supported: %s",
            type,
            Arrays.stream(WeightFormat.values()).map(Enum::name).collect(Collectors.joining(", ")));
  }

  /** How many values there are. */
  public long elements() {
    return Sizes.product(shape, place());
  }

  /**
   * Lets the system take back the pages that reading has filled; they are read again when they are
   * touched. Does nothing to data that no file backs.
   */
  public void release() {
    Mapping.release(data);
  }

  /** Refuses data of another length. */
  void requireBytes(long bytes) {
    if (bytes != data.byteSize()) {
      throw place().error("holds %d bytes; %s %s takes %d", data.byteSize(), type, shape, bytes);
    }
  }

  Place place() {
    return Place.tensor(file, name);
  }
}
