package dev.apus.core.weight;

import dev.apus.core.file.StoredTensor;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.AbstractList;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.RandomAccess;

/**
 * A weight as stored, seen as rows that end with a block: the form in which name tables rearrange
 * weights without decoding them.
 *
 * @param source where the rows come from, for messages
 * @param rows which must not change; one slice for each row, each {@code format.rowBytes(cols)}
 *     long
 */
public record StoredRows(String source, WeightFormat format, int cols, List<MemorySegment> rows) {

  private static final int DECODED_AT_ONCE = 256;

  /** A tensor's innermost dimension as columns, all others as rows; whole numbers become F32. */
  public static StoredRows of(StoredTensor tensor) {
    String source = tensor.file() + ": tensor " + tensor.name();
    List<Long> shape = tensor.shape();
    long cols = shape.isEmpty() ? 1 : shape.getLast();
    long count = cols == 0 ? 0 : tensor.elements() / cols;
    if (cols > Integer.MAX_VALUE || count > Integer.MAX_VALUE) {
      throw new WeightException(source + " is " + shape + ", more than 2^31 − 1 rows or columns");
    }
    if (WholeNumbers.are(tensor)) {
      return of(source, WholeNumbers.floats(tensor), (int) count, (int) cols);
    }
    WeightFormat format = tensor.format();
    long rowBytes = format.rowBytes(cols);
    return new StoredRows(
        source, format, (int) cols, new Slices(tensor.data(), rowBytes, (int) count));
  }

  /** Values in memory as rows. */
  static StoredRows of(String source, float[] values, int count, int cols) {
    long rowBytes = WeightFormat.F32.rowBytes(cols);
    MemorySegment memory = Arena.ofAuto().allocate(count * rowBytes, 64);
    WeightFormat.F32.codec().encode(values, 0, memory, 0, Math.multiplyExact(count, cols));
    return new StoredRows(source, WeightFormat.F32, cols, new Slices(memory, rowBytes, count));
  }

  /** Neighbouring rows, each cut out when it is asked for: a vocabulary has very many. */
  private static final class Slices extends AbstractList<MemorySegment> implements RandomAccess {

    private final MemorySegment data;
    private final long rowBytes;
    private final int count;

    Slices(MemorySegment data, long rowBytes, int count) {
      this.data = data;
      this.rowBytes = rowBytes;
      this.count = count;
    }

    @Override
    public MemorySegment get(int row) {
      return data.asSlice(Objects.checkIndex(row, count) * rowBytes, rowBytes);
    }

    @Override
    public int size() {
      return count;
    }
  }

  /** Values given in memory, as one F32 matrix. */
  public static StoredRows of(String source, float[] values, int cols) {
    MemorySegment memory = Arena.ofAuto().allocate(4L * values.length, 64);
    MemorySegment.copy(MemorySegment.ofArray(values), 0, memory, 0, 4L * values.length);
    List<MemorySegment> rows = new ArrayList<>();
    for (int at = 0; at < values.length; at += cols) {
      rows.add(memory.asSlice(4L * at, 4L * cols));
    }
    return new StoredRows(source, WeightFormat.F32, cols, rows);
  }

  /** {@code count} rows from row {@code from}. */
  StoredRows rows(int from, int count) {
    return new StoredRows(source, format, cols, rows.subList(from, from + count));
  }

  /** The values of a row, decoded into {@code values} at {@code valuesAt}. */
  public void decode(int row, float[] values, int valuesAt) {
    format.codec().decode(rows.get(row), 0, values, valuesAt, cols);
  }

  /**
   * All values, row by row.
   *
   * @throws WeightException if there are more than an array holds
   */
  public float[] decode() {
    float[] values = new float[values()];
    for (int from = 0; from < rows.size(); from += DECODED_AT_ONCE) {
      try (Arena arena = Arena.ofConfined()) {
        int at = from * cols;
        int to = Math.min(rows.size(), from + DECODED_AT_ONCE);
        for (MemorySegment row : rows(from, to, arena)) {
          format.codec().decode(row, 0, values, at, cols);
          at += cols;
        }
      }
    }
    return values;
  }

  /**
   * Rows {@code [from, to)}: those that are made when they are asked for, in memory of this arena.
   */
  MemorySegment[] rows(int from, int to, Arena arena) {
    return MadeRows.rows(rows, from, to, arena);
  }

  /** Whether the rows lie in memory of their own, instead of a file or nowhere. */
  boolean areHeld() {
    return !(rows instanceof MadeRows) && !rows.isEmpty() && !rows.getFirst().isMapped();
  }

  /** How many values there are, at most as many as an array holds. */
  int values() {
    long count = (long) rows.size() * cols;
    if (count > Integer.MAX_VALUE) {
      throw new WeightException(
          source
              + " is "
              + shape()
              + ", too large to be converted: it must have fewer than 2^31 values");
    }
    return (int) count;
  }

  /** The same values cut into rows of another length. */
  StoredRows reshaped(int newCols) {
    if (newCols == cols) {
      return this;
    }
    return of(source, decode(), newCols);
  }

  /** Each value as a row of its own, without decoding; only for formats of one value a block. */
  StoredRows split() {
    List<MemorySegment> single = new ArrayList<>();
    for (MemorySegment row : rows) {
      for (int col = 0; col < cols; col++) {
        single.add(row.asSlice((long) col * format.blockBytes(), format.blockBytes()));
      }
    }
    return new StoredRows(source, format, 1, single);
  }

  boolean sameBits(StoredRows other) {
    boolean same = format == other.format && cols == other.cols && rows.size() == other.rows.size();
    for (int row = 0; same && row < rows.size(); row++) {
      same = rows.get(row).mismatch(other.rows.get(row)) < 0;
    }
    return same;
  }

  String shape() {
    return "[" + rows.size() + ", " + cols + "]";
  }
}
