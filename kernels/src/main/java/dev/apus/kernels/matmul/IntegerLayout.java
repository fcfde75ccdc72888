package dev.apus.kernels.matmul;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.List;

/**
 * Where the bytes of a panel lie whose quants meet whole numbers: group after group of 256 columns,
 * and within a group the grids of its blocks as in {@link PanelLayout}, so that they are decoded
 * together, then the halves of words that the quants of a row fill, one after the other.
 *
 * <p>A word's lower half belongs to a row of the first half of the panel, and its upper one to the
 * row that is 16 further on: so a vector of words holds what belongs to two vectors of floats, and
 * one that is cut in the middle.
 *
 * @param grid units of a stored block that are not quants
 * @param gridBytes of a stored block
 */
record IntegerLayout(
    WeightFormat format, List<PanelLayout.Units> grid, int gridBytes, Filling filling) {

  private static final int ROWS = Matmul.PANEL_ROWS;

  /** Columns of a group; the last one may have fewer. */
  static final int GROUP = 256;

  /** Bytes of a half of a word of all rows. */
  static final int HALF_BYTES = 2 * ROWS;

  /** How the quants of a row fill halves of words. */
  interface Filling {

    /** Fills those of a stored block, {@link #HALF_BYTES} from one to the next. */
    void pack(byte[] stored, int blockAt, byte[] panel, int to);

    /** Brings them back to a block whose quants are still zero. */
    void unpack(byte[] panel, int from, byte[] stored, int blockAt);
  }

  static IntegerLayout q4() {
    return new IntegerLayout(
        WeightFormat.Q4_0,
        List.of(new PanelLayout.Units(0, 2, 1)),
        2,
        new NibbleFilling(2, 18, 16));
  }

  static IntegerLayout q4k() {
    return new IntegerLayout(
        WeightFormat.Q4_K,
        List.of(new PanelLayout.Units(0, 2, 2), new PanelLayout.Units(4, 4, 3)),
        16,
        new NibbleFilling(16, 144, 32));
  }

  static IntegerLayout q5k() {
    return new IntegerLayout(
        WeightFormat.Q5_K,
        List.of(new PanelLayout.Units(0, 2, 2), new PanelLayout.Units(4, 4, 3)),
        16,
        FieldFilling.Q5_K);
  }

  static IntegerLayout q6k() {
    return new IntegerLayout(
        WeightFormat.Q6_K,
        List.of(new PanelLayout.Units(208, 2, 1), new PanelLayout.Units(192, 4, 4)),
        18,
        FieldFilling.Q6_K);
  }

  static IntegerLayout mxfp4() {
    return new IntegerLayout(
        WeightFormat.MXFP4,
        List.of(new PanelLayout.Units(0, 1, 1)),
        1,
        new NibbleFilling(1, 17, 16));
  }

  /** Where the group that begins with this column lies in a panel. */
  long groupAt(int col) {
    return format.rowBytes(col) * ROWS;
  }

  /** From where a group of this width begins to its quants, those of a span after the other. */
  long quantsAt(int width) {
    return (long) width / format.blockLength() * gridBytes * ROWS;
  }

  void pack(MemorySegment[] rows, int cols, MemorySegment packed, long packedAt) {
    PanelLayout.clearPadding(format, cols, packed, packedAt);
    int blockBytes = format.blockBytes();
    for (int col = 0; col < cols; col += GROUP) {
      int blocks = Math.min(GROUP, cols - col) / format.blockLength();
      byte[] stored = new byte[blocks * blockBytes];
      byte[] panel = new byte[stored.length * ROWS];
      for (int row = 0; row < rows.length; row++) {
        MemorySegment.copy(rows[row], JAVA_BYTE, format.rowBytes(col), stored, 0, stored.length);
        for (int block = 0; block < blocks; block++) {
          moveGrid(stored, block * blockBytes, panel, gridAt(block), row, true);
          filling.pack(stored, block * blockBytes, panel, quantsAt(block, blocks, row));
        }
      }
      MemorySegment.copy(panel, 0, packed, JAVA_BYTE, packedAt + groupAt(col), panel.length);
    }
  }

  void unpack(
      MemorySegment packed, long packedAt, int cols, int fromRow, int rows, MemorySegment stored) {
    int blockBytes = format.blockBytes();
    for (int col = 0; col < cols; col += GROUP) {
      int blocks = Math.min(GROUP, cols - col) / format.blockLength();
      byte[] unpacked = new byte[blocks * blockBytes];
      byte[] panel = new byte[unpacked.length * ROWS];
      MemorySegment.copy(packed, JAVA_BYTE, packedAt + groupAt(col), panel, 0, panel.length);
      for (int i = 0; i < rows; i++) {
        int row = fromRow + i;
        Arrays.fill(unpacked, (byte) 0);
        for (int block = 0; block < blocks; block++) {
          moveGrid(unpacked, block * blockBytes, panel, gridAt(block), row, false);
          filling.unpack(panel, quantsAt(block, blocks, row), unpacked, block * blockBytes);
        }
        long to = i * format.rowBytes(cols) + format.rowBytes(col);
        MemorySegment.copy(unpacked, 0, stored, JAVA_BYTE, to, unpacked.length);
      }
    }
  }

  /** Brings the grid of a row's block to a panel or back. */
  private void moveGrid(byte[] stored, int blockAt, byte[] panel, int at, int row, boolean pack) {
    for (PanelLayout.Units units : grid) {
      int bytes = units.unitBytes();
      for (int unit = 0; unit < units.count(); unit++) {
        int storedAt = blockAt + units.fromByte() + unit * bytes;
        if (pack) {
          System.arraycopy(stored, storedAt, panel, at + row * bytes, bytes);
        } else {
          System.arraycopy(panel, at + row * bytes, stored, storedAt, bytes);
        }
        at += bytes * ROWS;
      }
    }
  }

  /** Where in its group the grids of a block are. */
  private int gridAt(int block) {
    return block * gridBytes * ROWS;
  }

  /** Where in a group of so many blocks a row's quants of one are. */
  private int quantsAt(int block, int blocks, int row) {
    int half = row / (ROWS / 2);
    int lane = row % (ROWS / 2);
    return gridAt(blocks)
        + block * (format.blockBytes() - gridBytes) * ROWS
        + lane * Integer.BYTES
        + half * Short.BYTES;
  }
}
