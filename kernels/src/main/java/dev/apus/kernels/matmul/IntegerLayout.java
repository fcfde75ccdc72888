package dev.apus.kernels.matmul;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Where the bytes of a panel lie whose nibbles meet whole numbers: group after group of 256
 * columns, and within a group the grids of its blocks as in {@link PanelLayout}, so that they are
 * decoded together, then the nibbles of four columns after the other.
 *
 * <p>The four nibbles of a row fill half a word. A word's lower half belongs to a row of the first
 * half of the panel, and its upper one to the row that is 16 further on: so a vector of words holds
 * what belongs to two vectors of floats, and one that is cut in the middle.
 *
 * @param grid units of a stored block that come before its nibbles
 * @param gridBytes of a stored block
 * @param runBytes stored bytes with as many columns in their lower nibbles, and the next as many in
 *     their upper ones
 */
record IntegerLayout(
    WeightFormat format, List<PanelLayout.Units> grid, int gridBytes, int runBytes) {

  private static final int ROWS = Matmul.PANEL_ROWS;

  /** Columns of a group; the last one may have fewer. */
  static final int GROUP = 256;

  /** Columns whose nibbles are half a word. */
  static final int UNIT_COLUMNS = 4;

  /** Bytes of these columns in a panel. */
  static final int UNIT_BYTES = 2 * ROWS;

  /** Bytes of a span's nibbles in a panel. */
  static final int SPAN_BYTES = RoundedInputs.SPAN / UNIT_COLUMNS * UNIT_BYTES;

  static IntegerLayout q4() {
    return new IntegerLayout(WeightFormat.Q4_0, List.of(new PanelLayout.Units(0, 2, 1)), 2, 16);
  }

  static IntegerLayout q4k() {
    return new IntegerLayout(
        WeightFormat.Q4_K,
        List.of(new PanelLayout.Units(0, 2, 2), new PanelLayout.Units(4, 4, 3)),
        16,
        32);
  }

  /** Where the group that begins with this column lies in a panel. */
  long groupAt(int col) {
    return format.rowBytes(col) * ROWS;
  }

  /** From where a group of this width begins to its nibbles, those of a span after the other. */
  long nibblesAt(int width) {
    return (long) width / format.blockLength() * gridBytes * ROWS;
  }

  void pack(MemorySegment[] rows, int cols, MemorySegment packed, long packedAt) {
    packed.asSlice(packedAt, PanelLayout.panelBytes(format, cols)).fill((byte) 0);
    for (int col = 0; col < cols; col += GROUP) {
      int width = Math.min(GROUP, cols - col);
      byte[] stored = new byte[rowBytes(width)];
      byte[] panel = new byte[stored.length * ROWS];
      for (int row = 0; row < rows.length; row++) {
        MemorySegment.copy(rows[row], JAVA_BYTE, format.rowBytes(col), stored, 0, stored.length);
        for (int from = 0; from < width; from += format.blockLength()) {
          packGrid(stored, from, row, panel);
          packNibbles(stored, from, width, row, panel);
        }
      }
      MemorySegment.copy(panel, 0, packed, JAVA_BYTE, packedAt + groupAt(col), panel.length);
    }
  }

  void unpack(
      MemorySegment packed, long packedAt, int cols, int fromRow, int rows, MemorySegment stored) {
    for (int col = 0; col < cols; col += GROUP) {
      int width = Math.min(GROUP, cols - col);
      byte[] unpacked = new byte[rowBytes(width)];
      byte[] panel = new byte[unpacked.length * ROWS];
      MemorySegment.copy(packed, JAVA_BYTE, packedAt + groupAt(col), panel, 0, panel.length);
      for (int row = 0; row < rows; row++) {
        for (int from = 0; from < width; from += format.blockLength()) {
          unpackGrid(panel, from, fromRow + row, unpacked);
          unpackNibbles(panel, from, width, fromRow + row, unpacked);
        }
        long to = row * format.rowBytes(cols) + format.rowBytes(col);
        MemorySegment.copy(unpacked, 0, stored, JAVA_BYTE, to, unpacked.length);
      }
    }
  }

  private int rowBytes(int cols) {
    return Math.toIntExact(format.rowBytes(cols));
  }

  private int gridAt(int col) {
    return Math.toIntExact(nibblesAt(col));
  }

  private void packGrid(byte[] stored, int col, int row, byte[] panel) {
    int at = gridAt(col);
    for (PanelLayout.Units units : grid) {
      int unitBytes = units.unitBytes();
      for (int i = 0; i < units.count() * unitBytes; i++) {
        panel[at + i / unitBytes * unitBytes * ROWS + row * unitBytes + i % unitBytes] =
            stored[rowBytes(col) + units.fromByte() + i];
      }
      at += units.count() * unitBytes * ROWS;
    }
  }

  private void unpackGrid(byte[] panel, int col, int row, byte[] stored) {
    int at = gridAt(col);
    for (PanelLayout.Units units : grid) {
      int unitBytes = units.unitBytes();
      for (int i = 0; i < units.count() * unitBytes; i++) {
        stored[rowBytes(col) + units.fromByte() + i] =
            panel[at + i / unitBytes * unitBytes * ROWS + row * unitBytes + i % unitBytes];
      }
      at += units.count() * unitBytes * ROWS;
    }
  }

  /** Two stored bytes, which hold two columns of each of two runs, are a byte of either's unit. */
  private void packNibbles(byte[] stored, int from, int width, int row, byte[] panel) {
    int storedAt = rowBytes(from) + gridBytes;
    for (int i = 0; i < format.blockLength() / 2; i += 2) {
      int at = at(from, i, width, row);
      int even = stored[storedAt + i];
      int odd = stored[storedAt + i + 1];
      panel[at] = (byte) (even & 0xf | odd << 4);
      panel[at + upper()] = (byte) (even >> 4 & 0xf | odd & 0xf0);
    }
  }

  private void unpackNibbles(byte[] panel, int from, int width, int row, byte[] stored) {
    int storedAt = rowBytes(from) + gridBytes;
    for (int i = 0; i < format.blockLength() / 2; i += 2) {
      int at = at(from, i, width, row);
      int lower = panel[at];
      int upper = panel[at + upper()];
      stored[storedAt + i] = (byte) (lower & 0xf | upper << 4);
      stored[storedAt + i + 1] = (byte) (lower >> 4 & 0xf | upper & 0xf0);
    }
  }

  /**
   * Where in a group of some width the lower nibbles of a stored byte and of the next one go.
   *
   * @param from the first column of their block
   */
  private int at(int from, int nibbleByte, int width, int row) {
    int run = nibbleByte / runBytes * 2 * runBytes;
    int col = from + run + nibbleByte % runBytes;
    int half = row / (ROWS / 2);
    int lane = row % (ROWS / 2);
    return gridAt(width)
        + col / UNIT_COLUMNS * UNIT_BYTES
        + lane * Integer.BYTES
        + half * Short.BYTES
        + col % UNIT_COLUMNS / 2;
  }

  /** From there to where the upper ones go. */
  private int upper() {
    return runBytes / UNIT_COLUMNS * UNIT_BYTES;
  }
}
