package dev.apus.core.weight;

import dev.apus.kernels.matmul.Matmul;
import dev.apus.kernels.matmul.Rounding;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;

/**
 * Panels that stay rows as stored, such as those of a mapped file: every product packs a few of
 * them at a time into a small memory that the caches hold, and multiplies from there. The bits are
 * those of {@link PackedPanels}, because it is the same kernel on the same panels.
 */
record StoredPanels(Matmul matmul, StoredRows stored) implements Panels {

  private static final int PANEL = Matmul.PANEL_ROWS;

  /** Panels packed at a time: as many as the kernels of the widest vectors work on at once. */
  private static final int AT_ONCE = 2;

  @Override
  public long bytes() {
    return Math.ceilDiv(stored.rows().size(), PANEL) * matmul.panelBytes(stored.cols());
  }

  @Override
  public Rounding rounding(int tokens) {
    return matmul.rounding();
  }

  @Override
  public int scratchFloats(Inputs inputs) {
    return inputs.scratchFloats(matmul, stored.cols());
  }

  @Override
  public void multiply(
      int fromPanel, int toPanel, Inputs inputs, float[] y, int yAt, int yStride, float[] scratch) {
    int outputs = stored.rows().size();
    int cols = stored.cols();
    long panelBytes = matmul.panelBytes(cols);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment packed = arena.allocate(AT_ONCE * panelBytes, 64);
      for (int panel = fromPanel; panel < toPanel; panel += AT_ONCE) {
        int count = Math.min(AT_ONCE, toPanel - panel);
        for (int i = 0; i < count; i++) {
          PackedPanels.pack(stored, panel + i, matmul, packed, i * panelBytes);
        }
        int row = panel * PANEL;
        inputs.multiply(
            matmul, packed, outputs - row, cols, 0, count, y, yAt + row, yStride, scratch);
      }
    }
  }

  @Override
  public void read(int row, float[] values, int valuesAt) {
    stored.decode(row, values, valuesAt);
  }
}
