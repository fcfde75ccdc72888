package dev.apus.core.weight;

import dev.apus.core.compute.Divisible;
import dev.apus.kernels.matmul.Matmul;
import dev.apus.kernels.matmul.Rounding;
import java.lang.foreign.MemorySegment;
import java.util.List;

/** Panels that come into memory and leave it again, and are computed with in either place. */
final class ResidentPanels implements Panels {

  private final StoredPanels stored;
  private volatile PackedPanels packed;

  ResidentPanels(StoredPanels stored) {
    this.stored = stored;
  }

  private int panels() {
    return Math.ceilDiv(stored.stored().rows().size(), Matmul.PANEL_ROWS);
  }

  /** The work of packing into a memory of {@link #bytes}; {@link #enter} makes use of it. */
  Divisible packing(MemorySegment memory) {
    Matmul matmul = stored.matmul();
    int cols = stored.stored().cols();
    long panelBytes = matmul.panelBytes(cols);
    return new Divisible(
        panels(),
        (long) Matmul.PANEL_ROWS * cols,
        (from, to, worker) -> {
          for (int panel = from; panel < to; panel++) {
            PackedPanels.pack(stored.stored(), panel, matmul, memory, panel * panelBytes);
          }
        });
  }

  /** From now on computes with what was packed here. */
  void enter(MemorySegment memory) {
    int rows = stored.stored().rows().size();
    packed =
        new PackedPanels(stored.matmul(), rows, stored.stored().cols(), panels(), List.of(memory));
  }

  /** From now on computes with the rows as stored. Nobody may compute meanwhile. */
  void leave() {
    packed = null;
  }

  @Override
  public long bytes() {
    return stored.bytes();
  }

  /** What the rows take while they are not packed. */
  long heldBytes() {
    StoredRows rows = stored.stored();
    return rows.areHeld() ? rows.rows().size() * rows.format().rowBytes(rows.cols()) : 0;
  }

  @Override
  public Rounding rounding(int tokens) {
    return stored.rounding(tokens);
  }

  @Override
  public int scratchFloats(Inputs inputs) {
    return stored.scratchFloats(inputs);
  }

  @Override
  public void multiply(
      int fromPanel, int toPanel, Inputs inputs, float[] y, int yAt, int yStride, float[] scratch) {
    Panels here = packed;
    (here == null ? stored : here).multiply(fromPanel, toPanel, inputs, y, yAt, yStride, scratch);
  }

  @Override
  public void read(int row, float[] values, int valuesAt) {
    stored.read(row, values, valuesAt);
  }
}
