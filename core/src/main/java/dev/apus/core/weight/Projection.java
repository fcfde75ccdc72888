package dev.apus.core.weight;

import dev.apus.core.compute.Pass;
import dev.apus.core.compute.Workers;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.matmul.Matmul;
import java.util.Locale;

/**
 * A weight matrix met as what it does: {@code y = x · Wᵀ + b}, row by row, whatever its storage
 * format. The format chose its layout and kernel when the projection was built, and is not asked
 * again.
 */
public final class Projection {

  private static final int PANEL = Matmul.PANEL_ROWS;

  private final WeightFormat format;
  private final int outputs;
  private final int inputs;
  private final Panels panels;
  private final float[] bias;

  Projection(StoredRows stored, Panels panels, float[] bias) {
    this.format = stored.format();
    this.outputs = stored.rows().size();
    this.inputs = stored.cols();
    this.panels = panels;
    this.bias = bias;
  }

  public int outputs() {
    return outputs;
  }

  public int inputs() {
    return inputs;
  }

  public WeightFormat format() {
    return format;
  }

  Panels panels() {
    return panels;
  }

  /** Memory that the weights take, of their own or as pages of their file. */
  public long bytes() {
    return panels.bytes() + (bias == null ? 0 : 4L * bias.length);
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
    int count = Math.ceilDiv(outputs, PANEL);
    int parts = Math.min(count, parts(pass.workers().threads(), x.rows()));
    pass.workers()
        .run(
            parts,
            (part, worker) -> {
              int from = Workers.rangeStart(count, parts, part);
              int to = Workers.rangeStart(count, parts, part + 1);
              multiply(pass, worker, x, y, from, to);
            });
  }

  private void multiply(Pass pass, int worker, Matrix x, Matrix y, int fromPanel, int toPanel) {
    float[] scratch = pass.scratch(worker, panels.scratchFloats(x.rows()));
    panels.multiply(fromPanel, toPanel, x, y, scratch);
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
