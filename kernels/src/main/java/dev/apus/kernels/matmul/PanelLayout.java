package dev.apus.kernels.matmul;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Where the bytes of a packed panel lie: block after block, and within a block unit after unit,
 * each unit as many times as the panel has rows.
 *
 * <p>So the same unit of all rows, a scale or four bytes of quants, fills neighbouring lanes. Units
 * keep the bits they have in the file, and a panel is as large as its rows.
 */
record PanelLayout(WeightFormat format, List<Units> units, Exchange exchange) {

  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int LINE_BYTES = 64;

  /** Columns copied and transposed at a time, so that they stay in the first-level cache. */
  private static final int COLUMNS_AT_ONCE = 256;

  /** Neighbouring units of equal size within a stored block. */
  record Units(int fromByte, int unitBytes, int count) {}

  /** Puts bits of a stored block to other places within it; done twice, it brings them back. */
  @FunctionalInterface
  interface Exchange {
    void apply(byte[] block, int at);
  }

  static PanelLayout of(WeightFormat format, Units... units) {
    return of(format, null, units);
  }

  /** Units of blocks whose bits are exchanged before they are packed; not if that is null. */
  static PanelLayout of(WeightFormat format, Exchange exchange, Units... units) {
    return new PanelLayout(format, List.of(units), exchange);
  }

  /** Where the block with this column lies in a panel. */
  long blockAt(int col) {
    return (long) (col / format.blockLength()) * format.blockBytes() * ROWS;
  }

  static long panelBytes(WeightFormat format, int cols) {
    long bytes = format.rowBytes(cols) * ROWS;
    return Math.ceilDiv(bytes, LINE_BYTES) * LINE_BYTES;
  }

  /** Clears what is behind the rows of a panel. */
  static void clearPadding(WeightFormat format, int cols, MemorySegment packed, long packedAt) {
    long bytes = format.rowBytes(cols) * ROWS;
    packed.asSlice(packedAt + bytes, panelBytes(format, cols) - bytes).fill((byte) 0);
  }

  void pack(MemorySegment[] rows, int cols, MemorySegment packed, long packedAt) {
    clearPadding(format, cols, packed, packedAt);
    int some = Math.min(cols, COLUMNS_AT_ONCE);
    byte[] stored = new byte[rowBytes(some) * rows.length];
    byte[] panel = new byte[rowBytes(some) * ROWS];
    for (int col = 0; col < cols; col += some) {
      int width = Math.min(some, cols - col);
      int rowBytes = rowBytes(width);
      for (int row = 0; row < rows.length; row++) {
        MemorySegment.copy(
            rows[row], JAVA_BYTE, format.rowBytes(col), stored, row * rowBytes, rowBytes);
      }
      exchange(stored, rowBytes * rows.length);
      transpose(stored, panel, 0, rows.length, width, true);
      MemorySegment.copy(panel, 0, packed, JAVA_BYTE, packedAt + blockAt(col), rowBytes * ROWS);
    }
  }

  void unpack(
      MemorySegment packed, long packedAt, int cols, int fromRow, int rows, MemorySegment stored) {
    int some = Math.min(cols, COLUMNS_AT_ONCE);
    byte[] panel = new byte[rowBytes(some) * ROWS];
    byte[] unpacked = new byte[rowBytes(some) * rows];
    for (int col = 0; col < cols; col += some) {
      int width = Math.min(some, cols - col);
      int rowBytes = rowBytes(width);
      MemorySegment.copy(packed, JAVA_BYTE, packedAt + blockAt(col), panel, 0, rowBytes * ROWS);
      transpose(unpacked, panel, fromRow, rows, width, false);
      exchange(unpacked, rowBytes * rows);
      for (int row = 0; row < rows; row++) {
        long to = row * format.rowBytes(cols) + format.rowBytes(col);
        MemorySegment.copy(unpacked, row * rowBytes, stored, JAVA_BYTE, to, rowBytes);
      }
    }
  }

  private void exchange(byte[] stored, int bytes) {
    for (int at = 0; exchange != null && at < bytes; at += format.blockBytes()) {
      exchange.apply(stored, at);
    }
  }

  private int rowBytes(int cols) {
    return Math.toIntExact(format.rowBytes(cols));
  }

  /** Brings rows that lie one after the other into some columns of a panel, or back. */
  private void transpose(
      byte[] stored, byte[] panel, int fromRow, int rows, int cols, boolean pack) {
    if (units.size() == 1) {
      // Blocks without parts are one long row of units.
      int unitBytes = units.getFirst().unitBytes;
      var all = new Units(0, unitBytes, rowBytes(cols) / unitBytes);
      transpose(all, stored, 0, rowBytes(cols), panel, 0, fromRow, rows, pack);
      return;
    }
    for (int col = 0; col < cols; col += format.blockLength()) {
      int at = Math.toIntExact(blockAt(col));
      for (Units piece : units) {
        int storedAt = rowBytes(col) + piece.fromByte;
        transpose(piece, stored, storedAt, rowBytes(cols), panel, at, fromRow, rows, pack);
        at += piece.count * piece.unitBytes * ROWS;
      }
    }
  }

  private static void transpose(
      Units piece,
      byte[] stored,
      int storedAt,
      int rowBytes,
      byte[] panel,
      int panelAt,
      int fromRow,
      int rows,
      boolean pack) {
    int unitBytes = piece.unitBytes;
    int lane = unitBytes * ROWS;
    int at = panelAt + unitBytes * fromRow;
    if (pack) {
      new Transposition(unitBytes, rowBytes, lane)
          .apply(stored, storedAt, rows, piece.count, panel, at);
    } else {
      new Transposition(unitBytes, lane, rowBytes)
          .apply(panel, at, piece.count, rows, stored, storedAt);
    }
  }
}
