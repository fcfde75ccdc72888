package dev.apus.core.weight;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.matmul.Matmul;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Locale;

/**
 * A weight matrix met as what it does: {@code y = x · Wᵀ + b}, row by row, whatever its storage
 * format. The format chose its layout and kernel when the projection was built, and is not asked
 * again.
 */
public final class Projection {

  private static final int PANEL = Matmul.PANEL_ROWS;

  private final Matmul matmul;
  private final int outputs;
  private final int inputs;
  private final MemorySegment packed;
  private final float[] bias;

  private Projection(Matmul matmul, int outputs, int inputs, MemorySegment packed, float[] bias) {
    this.matmul = matmul;
    this.outputs = outputs;
    this.inputs = inputs;
    this.packed = packed;
    this.bias = bias;
  }

  /** Packs stored rows for a kernel, in memory that {@code arena} owns. */
  static Projection pack(
      StoredRows stored, Matmul matmul, float[] bias, Arena arena, Workers workers) {
    int outputs = stored.rows().size();
    int panels = Math.ceilDiv(outputs, PANEL);
    long panelBytes = matmul.panelBytes(stored.cols());
    MemorySegment packed = arena.allocate(Math.multiplyExact(panelBytes, Math.max(1, panels)), 64);
    workers.run(
        panels,
        (panel, worker) -> {
          int from = panel * PANEL;
          int to = Math.min(outputs, from + PANEL);
          MemorySegment[] rows = stored.rows().subList(from, to).toArray(MemorySegment[]::new);
          matmul.pack(rows, stored.cols(), packed, panel * panelBytes);
        });
    return new Projection(matmul, outputs, stored.cols(), packed, bias);
  }

  /** A projection of which only the shape is known, and which cannot be applied. */
  static Projection outline(StoredRows stored, Matmul matmul) {
    return new Projection(matmul, stored.rows().size(), stored.cols(), MemorySegment.NULL, null);
  }

  public int outputs() {
    return outputs;
  }

  public int inputs() {
    return inputs;
  }

  public WeightFormat format() {
    return matmul.format();
  }

  /** Memory that the packed weights take. */
  public long bytes() {
    return packed.byteSize() + (bias == null ? 0 : 4L * bias.length);
  }

  /**
   * Writes a row of {@code y} for each row of {@code x}; a row's bits do not depend on the others.
   */
  public void apply(Pass pass, Matrix x, Matrix y) {
    if (x.cols() != inputs || y.cols() != outputs || x.rows() != y.rows()) {
      throw new IllegalArgumentException(
          String.format(
              Locale.ROOT,
              "a projection of %d to %d values met %d × %d and %d × %d",
              inputs,
              outputs,
              x.rows(),
              x.cols(),
              y.rows(),
              y.cols()));
    }
    if (x.rows() == 0) {
      return;
    }
    int panels = Math.ceilDiv(outputs, PANEL);
    int parts = Math.min(panels, parts(pass.workers().threads(), x.rows()));
    pass.workers()
        .run(
            parts,
            (part, worker) -> {
              int from = Workers.rangeStart(panels, parts, part);
              int to = Workers.rangeStart(panels, parts, part + 1);
              multiply(pass, worker, x, y, from, to);
            });
  }

  private void multiply(Pass pass, int worker, Matrix x, Matrix y, int fromPanel, int toPanel) {
    float[] scratch = pass.scratch(worker, matmul.scratchFloats(inputs, x.rows()));
    matmul.multiply(
        packed, outputs, inputs, fromPanel, toPanel, x.data(), 0, inputs, x.rows(), y.data(), 0,
        outputs, scratch);
    if (bias != null) {
      int from = fromPanel * PANEL;
      int to = Math.min(outputs, toPanel * PANEL);
      for (int row = 0; row < x.rows(); row++) {
        int at = y.at(row);
        for (int i = from; i < to; i++) {
          y.data()[at + i] += bias[i];
        }
      }
    }
  }

  /**
   * One range for each thread keeps its streams long; longer work is cut finer, to share it evenly.
   */
  private static int parts(int threads, int rows) {
    return threads == 1 ? 1 : rows < 16 ? threads : 4 * threads;
  }
}
