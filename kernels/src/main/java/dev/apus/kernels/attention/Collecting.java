package dev.apus.kernels.attention;

import dev.apus.kernels.attention.Attention.Piece;
import dev.apus.kernels.attention.Attention.Stored;
import dev.apus.kernels.attention.Attention.Traits;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/** Copies keys and values of scattered ranges of slots, each as part of a panel at a time. */
final class Collecting {

  private static final int LANES = SpannedAttention.LANES;
  private static final ValueLayout.OfLong LONG = ValueLayout.JAVA_LONG_UNALIGNED;

  private final SpannedAttention layout;
  private final Traits traits;
  private final int unit;
  private final int columnBytes;

  Collecting(SpannedAttention layout, Traits traits) {
    this.layout = layout;
    this.traits = traits;
    this.unit = layout.columns.unit();
    this.columnBytes = layout.columns.bytes();
  }

  void run(Stored stored, int[] ranges, int from, int to, Piece piece) {
    int at = 0;
    for (int r = 0; at < to; r += 2) {
      int behind = at + ranges[r + 1] - ranges[r];
      int end = Math.min(to, behind);
      for (int slot = Math.max(from, at), count; slot < end; slot += count) {
        int source = ranges[r] + slot - at;
        count = Math.min(end - slot, LANES - Math.max(slot % LANES, source % LANES));
        Piece found = stored.piece(source / Attention.SPAN);
        copyKeys(found, source, piece, slot, count);
        copyValues(found, source, piece, slot, count);
      }
      at = behind;
    }
  }

  private void copyKeys(Piece source, int from, Piece target, int to, int count) {
    int dim = traits.headDim();
    long fromAt = source.keysAt() + layout.keyPanelAt(from, dim) + (long) from % LANES * unit;
    long toAt = target.keysAt() + layout.keyPanelAt(to, dim) + (long) to % LANES * unit;
    int bytes = count * unit;
    int whole = bytes - bytes % Long.BYTES;
    for (int i = 0; i < whole; i += Long.BYTES) {
      copyLongs(source.keys(), fromAt + i, target.keys(), toAt + i, dim, columnBytes);
    }
    for (int d = 0; d < dim && whole < bytes; d++) {
      long offset = (long) d * columnBytes + whole;
      MemorySegment.copy(
          source.keys(), fromAt + offset, target.keys(), toAt + offset, bytes - whole);
    }
  }

  /** Copies a long of every column. */
  private static void copyLongs(
      MemorySegment source, long from, MemorySegment target, long to, int columns, int stride) {
    for (int i = 0; i < columns; i++) {
      target.set(LONG, to + (long) i * stride, source.get(LONG, from + (long) i * stride));
    }
  }

  private void copyValues(Piece source, int from, Piece target, int to, int count) {
    int dim = traits.valueDim();
    for (int panel = 0; panel < SpannedAttention.valuePanels(dim); panel++) {
      long fromAt = source.valuesAt() + layout.valueColumnAt(from, panel, dim);
      long toAt = target.valuesAt() + layout.valueColumnAt(to, panel, dim);
      MemorySegment.copy(
          source.values(), fromAt, target.values(), toAt, (long) count * columnBytes);
    }
  }
}
