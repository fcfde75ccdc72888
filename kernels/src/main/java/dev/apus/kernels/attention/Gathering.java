package dev.apus.kernels.attention;

import static dev.apus.kernels.attention.SpannedAttention.BLOCK;
import static dev.apus.kernels.attention.SpannedAttention.LANES;

import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import dev.apus.kernels.matmul.Transposition;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * Collects rows from scattered slots, a panel of keys at a time: some coordinates of its slots are
 * read as lines, which are the values, and whose columns are the keys.
 */
final class Gathering {

  private final SpannedAttention layout;
  private final int rowDim;
  private final int valueDim;
  private final Stored rows;
  private final int[] slots;
  private final int slotsAt;

  /** Bytes of a line, and of a column. */
  private final int lineBytes;

  private final Transposition transposition;
  private final MemorySegment[] memories = new MemorySegment[LANES];
  private final long[] starts = new long[LANES];
  private final byte[] lines;
  private final byte[] columns;

  Gathering(SpannedAttention layout, Traits traits, Stored rows, int[] slots, int slotsAt) {
    this.layout = layout;
    this.rowDim = traits.headDim();
    this.valueDim = traits.valueDim();
    this.rows = rows;
    this.slots = slots;
    this.slotsAt = slotsAt;
    int unit = layout.columns.unit();
    this.lineBytes = LANES * unit;
    this.transposition = new Transposition(unit, lineBytes, lineBytes);
    this.lines = new byte[LANES * lineBytes];
    this.columns = new byte[LANES * lineBytes];
  }

  void run(int from, int to, Piece piece) {
    for (int slot = from; slot < to; slot += LANES) {
      int count = Math.min(LANES, to - slot);
      find(slot, count);
      for (int panel = 0; panel < SpannedAttention.valuePanels(rowDim); panel++) {
        read(panel, count);
        writeValues(panel, slot, count, piece);
        writeKeys(panel, slot, count, piece);
      }
    }
  }

  /** Where the rows of {@code count} slots begin. */
  private void find(int slot, int count) {
    for (int i = 0; i < count; i++) {
      int source = slots[slotsAt + slot + i];
      Piece piece = rows.piece(source / Attention.SPAN);
      memories[i] = piece.values();
      starts[i] =
          piece.valuesAt()
              + layout.valuePanelAt(source, 0, rowDim)
              + (long) source % BLOCK * lineBytes;
    }
  }

  private void read(int panel, int count) {
    long offset = (long) panel * BLOCK * lineBytes;
    for (int i = 0; i < count; i++) {
      MemorySegment.copy(
          memories[i], ValueLayout.JAVA_BYTE, starts[i] + offset, lines, i * lineBytes, lineBytes);
    }
  }

  private void writeValues(int panel, int slot, int count, Piece piece) {
    if (panel < SpannedAttention.valuePanels(valueDim)) {
      long at = piece.valuesAt() + layout.valuePanelAt(slot, panel, valueDim);
      at += (long) slot % BLOCK * lineBytes;
      MemorySegment.copy(lines, 0, piece.values(), ValueLayout.JAVA_BYTE, at, count * lineBytes);
    }
  }

  private void writeKeys(int panel, int slot, int count, Piece piece) {
    int first = panel * LANES;
    int coordinates = Math.min(LANES, rowDim - first);
    transposition.apply(lines, 0, count, coordinates, columns, 0);
    int values = Math.clamp(valueDim - first, 0, coordinates);
    writeColumns(0, values, rowDim - valueDim + first, slot, piece);
    writeColumns(values, coordinates - values, first + values - valueDim, slot, piece);
  }

  /** Writes columns {@code [column, column + count)} as coordinates of keys. */
  private void writeColumns(int column, int count, int coordinate, int slot, Piece piece) {
    if (count > 0) {
      long at = piece.keysAt() + layout.keyPanelAt(slot, rowDim) + (long) coordinate * lineBytes;
      MemorySegment.copy(
          columns, column * lineBytes, piece.keys(), ValueLayout.JAVA_BYTE, at, count * lineBytes);
    }
  }
}
