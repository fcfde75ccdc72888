package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;
import java.util.List;

/**
 * Where the bytes of a packed panel lie: block after block, and within a block unit after unit,
 * each unit as many times as the panel has rows.
 *
 * <p>So the same unit of all rows, a scale or four bytes of quants, fills neighbouring lanes. Units
 * keep the bits they have in the file, and a panel is as large as its rows.
 */
record PanelLayout(WeightFormat format, List<Units> units) {

  static final ValueLayout.OfInt WORD =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);
  static final ValueLayout.OfShort HALF =
      ValueLayout.JAVA_SHORT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int LINE_BYTES = 64;

  /** Neighbouring units of equal size within a stored block. */
  record Units(int fromByte, int unitBytes, int count) {}

  static PanelLayout of(WeightFormat format, Units... units) {
    return new PanelLayout(format, List.of(units));
  }

  /** Where the block with this column lies in a panel. */
  long blockAt(int col) {
    return (long) (col / format.blockLength()) * format.blockBytes() * ROWS;
  }

  static long panelBytes(WeightFormat format, int cols) {
    long bytes = format.rowBytes(cols) * ROWS;
    return Math.ceilDiv(bytes, LINE_BYTES) * LINE_BYTES;
  }

  void pack(MemorySegment[] rows, int cols, MemorySegment packed, long packedAt) {
    packed.asSlice(packedAt, panelBytes(format, cols)).fill((byte) 0);
    for (int col = 0; col < cols; col += format.blockLength()) {
      long from = format.rowBytes(col);
      long to = packedAt + blockAt(col);
      for (Units piece : units) {
        for (int row = 0; row < rows.length; row++) {
          copy(piece, rows[row], from + piece.fromByte, packed, to + row * piece.unitBytes);
        }
        to += (long) piece.count * piece.unitBytes * ROWS;
      }
    }
  }

  private static void copy(
      Units piece, MemorySegment row, long from, MemorySegment packed, long to) {
    for (int i = 0; i < piece.count; i++) {
      long unitAt = from + i * piece.unitBytes;
      long laneAt = to + (long) i * piece.unitBytes * ROWS;
      switch (piece.unitBytes) {
        case 4 -> packed.set(WORD, laneAt, row.get(WORD, unitAt));
        case 2 -> packed.set(HALF, laneAt, row.get(HALF, unitAt));
        default ->
            packed.set(ValueLayout.JAVA_BYTE, laneAt, row.get(ValueLayout.JAVA_BYTE, unitAt));
      }
    }
  }
}
