package dev.apus.kernels.matmul;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Where the bytes of a panel lie whose nibbles meet whole numbers: block after block, and within a
 * block its grid as in {@link PanelLayout}, then the nibbles of four columns after the other.
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

  /** Where the block with this column lies in a panel. */
  long blockAt(int col) {
    return (long) (col / format.blockLength()) * format.blockBytes() * ROWS;
  }

  /** Where the nibbles of the span that begins with this column lie. */
  long nibblesAt(int col) {
    int span = col % format.blockLength() / RoundedInputs.SPAN;
    return blockAt(col) + (long) gridBytes * ROWS + (long) span * SPAN_BYTES;
  }

  /** From the nibbles of a span to those of the next, in the same block or in blocks of a span. */
  long spanStride() {
    return format.blockLength() > RoundedInputs.SPAN
        ? SPAN_BYTES
        : (long) format.blockBytes() * ROWS;
  }

  void pack(MemorySegment[] rows, int cols, MemorySegment packed, long packedAt) {
    packed.asSlice(packedAt, PanelLayout.panelBytes(format, cols)).fill((byte) 0);
    byte[] stored = new byte[format.blockBytes()];
    byte[] panel = new byte[format.blockBytes() * ROWS];
    for (int col = 0; col < cols; col += format.blockLength()) {
      for (int row = 0; row < rows.length; row++) {
        MemorySegment.copy(rows[row], JAVA_BYTE, format.rowBytes(col), stored, 0, stored.length);
        packGrid(stored, row, panel);
        packNibbles(stored, row, panel);
      }
      MemorySegment.copy(panel, 0, packed, JAVA_BYTE, packedAt + blockAt(col), panel.length);
    }
  }

  void unpack(
      MemorySegment packed, long packedAt, int cols, int fromRow, int rows, MemorySegment stored) {
    byte[] block = new byte[format.blockBytes()];
    byte[] panel = new byte[format.blockBytes() * ROWS];
    for (int col = 0; col < cols; col += format.blockLength()) {
      MemorySegment.copy(packed, JAVA_BYTE, packedAt + blockAt(col), panel, 0, panel.length);
      for (int row = 0; row < rows; row++) {
        unpackGrid(panel, fromRow + row, block);
        unpackNibbles(panel, fromRow + row, block);
        long to = row * format.rowBytes(cols) + format.rowBytes(col);
        MemorySegment.copy(block, 0, stored, JAVA_BYTE, to, block.length);
      }
    }
  }

  private void packGrid(byte[] stored, int row, byte[] panel) {
    int at = 0;
    for (PanelLayout.Units units : grid) {
      int unitBytes = units.unitBytes();
      for (int i = 0; i < units.count() * unitBytes; i++) {
        panel[at + i / unitBytes * unitBytes * ROWS + row * unitBytes + i % unitBytes] =
            stored[units.fromByte() + i];
      }
      at += units.count() * unitBytes * ROWS;
    }
  }

  private void unpackGrid(byte[] panel, int row, byte[] stored) {
    int at = 0;
    for (PanelLayout.Units units : grid) {
      int unitBytes = units.unitBytes();
      for (int i = 0; i < units.count() * unitBytes; i++) {
        stored[units.fromByte() + i] =
            panel[at + i / unitBytes * unitBytes * ROWS + row * unitBytes + i % unitBytes];
      }
      at += units.count() * unitBytes * ROWS;
    }
  }

  /** Two stored bytes, which hold two columns of each of two runs, are a byte of either's unit. */
  private void packNibbles(byte[] stored, int row, byte[] panel) {
    for (int i = gridBytes; i < stored.length; i += 2) {
      int at = at(i - gridBytes, row);
      int even = stored[i];
      int odd = stored[i + 1];
      panel[at] = (byte) (even & 0xf | odd << 4);
      panel[at + upper()] = (byte) (even >> 4 & 0xf | odd & 0xf0);
    }
  }

  private void unpackNibbles(byte[] panel, int row, byte[] stored) {
    for (int i = gridBytes; i < stored.length; i += 2) {
      int at = at(i - gridBytes, row);
      int lower = panel[at];
      int upper = panel[at + upper()];
      stored[i] = (byte) (lower & 0xf | upper << 4);
      stored[i + 1] = (byte) (lower >> 4 & 0xf | upper & 0xf0);
    }
  }

  /** Where in a panel's block the lower nibbles of this stored byte and the next one go. */
  private int at(int nibbleByte, int row) {
    int run = nibbleByte / runBytes * 2 * runBytes;
    int col = run + nibbleByte % runBytes;
    int half = row / (ROWS / 2);
    int lane = row % (ROWS / 2);
    return gridBytes * ROWS
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
