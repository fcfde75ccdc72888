package dev.apus.kernels.matmul;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.lang.invoke.VarHandle;
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

  private static final VarHandle WORD = Transposition.WORD;
  private static final VarHandle HALF = Transposition.HALF;

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
          packNibbles(stored, block * blockBytes, panel, nibblesAt(block, blocks, row));
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
        for (int block = 0; block < blocks; block++) {
          moveGrid(unpacked, block * blockBytes, panel, gridAt(block), row, false);
          unpackNibbles(panel, nibblesAt(block, blocks, row), unpacked, block * blockBytes);
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

  /** Where in a group of so many blocks a row's nibbles of one are. */
  private int nibblesAt(int block, int blocks, int row) {
    int half = row / (ROWS / 2);
    int lane = row % (ROWS / 2);
    return gridAt(blocks)
        + block * format.blockLength() / UNIT_COLUMNS * UNIT_BYTES
        + lane * Integer.BYTES
        + half * Short.BYTES;
  }

  private void packNibbles(byte[] stored, int blockAt, byte[] panel, int to) {
    int upper = runBytes / UNIT_COLUMNS * UNIT_BYTES;
    int end = blockAt + format.blockBytes();
    for (int run = blockAt + gridBytes; run < end; run += runBytes) {
      for (int i = run; i < run + runBytes; i += UNIT_COLUMNS) {
        int bytes = (int) WORD.get(stored, i);
        HALF.set(panel, to, joined(bytes));
        HALF.set(panel, to + upper, joined(bytes >>> 4));
        to += UNIT_BYTES;
      }
      to += upper;
    }
  }

  private void unpackNibbles(byte[] panel, int from, byte[] stored, int blockAt) {
    int upper = runBytes / UNIT_COLUMNS * UNIT_BYTES;
    int end = blockAt + format.blockBytes();
    for (int run = blockAt + gridBytes; run < end; run += runBytes) {
      for (int i = run; i < run + runBytes; i += UNIT_COLUMNS) {
        int low = apart((short) HALF.get(panel, from));
        int high = apart((short) HALF.get(panel, from + upper));
        WORD.set(stored, i, low | high << 4);
        from += UNIT_BYTES;
      }
      from += upper;
    }
  }

  /** The lower nibbles of four bytes side by side. */
  private static short joined(int bytes) {
    int pairs = bytes & 0x0f0f0f0f;
    pairs = (pairs | pairs >>> 4) & 0x00ff00ff;
    return (short) (pairs | pairs >>> 8);
  }

  /** Four nibbles as the lower ones of four bytes. */
  private static int apart(short nibbles) {
    int pairs = nibbles & 0xff | (nibbles & 0xff00) << 8;
    return (pairs | pairs << 4) & 0x0f0f0f0f;
  }
}
