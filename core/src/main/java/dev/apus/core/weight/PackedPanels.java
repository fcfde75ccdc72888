package dev.apus.core.weight;

import dev.apus.core.compute.Workers;
import dev.apus.kernels.matmul.Matmul;
import dev.apus.kernels.matmul.Rounding;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * Panels packed once, at load, in memory of their own.
 *
 * @param slabs memory for {@code slabPanels} panels each, fewer in the last one
 */
record PackedPanels(Matmul matmul, int outputs, int cols, int slabPanels, List<MemorySegment> slabs)
    implements Panels {

  private static final int PANEL = Matmul.PANEL_ROWS;

  /** Slabs are about so large: threads take turns, and yet walk long streams. */
  private static final long SLAB_BYTES = 4 << 20;

  /** Does all parts of a job. */
  @FunctionalInterface
  interface Runner {
    void run(int parts, Workers.Work work);
  }

  /**
   * Packs stored rows, in memory that {@code arena} owns.
   *
   * @param threads of the runner
   * @param read is run from time to time, when what was read is not needed any more
   */
  static PackedPanels pack(
      StoredRows stored, Matmul matmul, Arena arena, Runner runner, int threads, Runnable read) {
    int outputs = stored.rows().size();
    int panels = Math.ceilDiv(outputs, PANEL);
    long panelBytes = Math.max(1, matmul.panelBytes(stored.cols()));
    int fair = Math.max(1, Math.ceilDiv(panels, threads));
    int most = (int) Math.min(fair, Math.ceilDiv(SLAB_BYTES, panelBytes));
    // Whole groups, so that a part of a product that goes on in another slab goes on with one.
    int group = Matmul.panelsTogether(Integer.MAX_VALUE);
    int slabPanels = Math.ceilDiv(most, group) * group;
    MemorySegment[] slabs = new MemorySegment[Math.ceilDiv(panels, slabPanels)];
    int stage = Math.max(4, 2 * threads);
    for (int first = 0; first < slabs.length; first += stage) {
      int from = first;
      runner.run(
          Math.min(stage, slabs.length - from),
          (part, worker) ->
              slabs[from + part] = slab(stored, matmul, arena, from + part, slabPanels));
      read.run();
    }
    return new PackedPanels(matmul, outputs, stored.cols(), slabPanels, List.of(slabs));
  }

  /** Memory that stored rows will take. */
  static long bytes(StoredRows stored, Matmul matmul) {
    int panels = Math.ceilDiv(stored.rows().size(), PANEL);
    return Math.multiplyExact(matmul.panelBytes(stored.cols()), panels);
  }

  /** Packs one slab in new memory, so that its pages are filled by the thread that packs it. */
  private static MemorySegment slab(
      StoredRows stored, Matmul matmul, Arena arena, int slab, int slabPanels) {
    int panels = Math.ceilDiv(stored.rows().size(), PANEL);
    int first = slab * slabPanels;
    int count = Math.min(slabPanels, panels - first);
    long panelBytes = matmul.panelBytes(stored.cols());
    MemorySegment packed = arena.allocate(Math.multiplyExact(panelBytes, count), 64);
    for (int i = 0; i < count; i++) {
      pack(stored, first + i, matmul, packed, i * panelBytes);
    }
    return packed;
  }

  /** Packs the rows of one panel. */
  static void pack(StoredRows stored, int panel, Matmul matmul, MemorySegment to, long at) {
    int from = panel * PANEL;
    int end = Math.min(stored.rows().size(), from + PANEL);
    try (Arena arena = Arena.ofConfined()) {
      matmul.pack(stored.rows(from, end, arena), stored.cols(), to, at);
    }
  }

  @Override
  public long bytes() {
    return slabs.stream().mapToLong(MemorySegment::byteSize).sum();
  }

  @Override
  public Rounding rounding(int tokens) {
    return matmul.rounding();
  }

  @Override
  public int scratchFloats(Inputs inputs) {
    return inputs.scratchFloats(matmul, cols);
  }

  @Override
  public void multiply(
      int fromPanel, int toPanel, Inputs inputs, float[] y, int yAt, int yStride, float[] scratch) {
    for (int panel = fromPanel; panel < toPanel; ) {
      int slab = panel / slabPanels;
      int first = slab * slabPanels;
      int end = Math.min(toPanel, first + slabPanels);
      int row = first * PANEL;
      inputs.multiply(
          matmul,
          slabs.get(slab),
          outputs - row,
          cols,
          panel - first,
          end - first,
          y,
          yAt + row,
          yStride,
          scratch);
      panel = end;
    }
  }

  @Override
  public void read(int row, float[] values, int valuesAt) {
    int panel = row / PANEL;
    MemorySegment packed = slabs.get(panel / slabPanels);
    long panelAt = panel % slabPanels * matmul.panelBytes(cols);
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment stored = arena.allocate(matmul.format().rowBytes(cols), 64);
      matmul.unpack(packed, panelAt, cols, row % PANEL, 1, stored);
      matmul.format().codec().decode(stored, 0, values, valuesAt, cols);
    }
  }
}
