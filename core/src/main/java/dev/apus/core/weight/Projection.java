package dev.apus.core.weight;

import dev.apus.core.compute.Divisible;
import dev.apus.core.compute.Pass;
import dev.apus.core.compute.RoundedRows;
import dev.apus.core.tensor.Matrix;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.matmul.Matmul;
import dev.apus.kernels.matmul.Rounding;
import java.util.Locale;

/**
 * A weight matrix met as what it does: {@code y = x · Wᵀ + b}, row by row, whatever its storage
 * format. The format chose its layout and kernel when the projection was built, and is not asked
 * again.
 */
public final class Projection {

  private static final int PANEL = Matmul.PANEL_ROWS;

  /** So many rows' outputs of a part of a product do not stay in a core's own caches. */
  private static final int MANY = 16;

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

  /** A projection of which only the shape is known, and which cannot be applied. */
  static Projection outline(StoredRows stored) {
    return new Projection(stored, null, null);
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

  /** The weights themselves. */
  Panels weights() {
    return panels;
  }

  /** Memory that the weights take, of their own or as pages of their file. */
  public long bytes() {
    return (panels == null ? 0 : panels.bytes()) + (bias == null ? 0 : 4L * bias.length);
  }

  /**
   * Writes a row of {@code y} for each row of {@code x}; a row's bits do not depend on the others.
   */
  public void apply(Pass pass, Matrix x, Matrix y) {
    pass.run(task(pass, x, y));
  }

  /** What {@link #apply} does, to be done together with other work. */
  public Divisible task(Pass pass, Matrix x, Matrix y) {
    if (x.cols() != inputs || y.cols() != outputs) {
      throw mismatch(x, y);
    }
    return task(pass, x, 0, y, 0);
  }

  /** The same for rows {@code [fromRow, toRow)} alone, which both matrices have. */
  public Divisible task(Pass pass, Matrix x, Matrix y, int fromRow, int toRow) {
    requireRows(x, y, toRow);
    return rows(pass, x, 0, y, 0, fromRow, toRow);
  }

  /**
   * The same from columns {@code [xCol, xCol + inputs)} of {@code x} to columns {@code [yCol, yCol
   * + outputs)} of {@code y}.
   */
  public Divisible task(Pass pass, Matrix x, int xCol, Matrix y, int yCol) {
    return task(pass, x, xCol, y, yCol, 0, x.rows());
  }

  /** The same for rows {@code [fromRow, toRow)} alone. */
  public Divisible task(Pass pass, Matrix x, int xCol, Matrix y, int yCol, int fromRow, int toRow) {
    if (inputs > x.cols() - xCol
        || outputs > y.cols() - yCol
        || x.rows() != y.rows()
        || toRow > x.rows()) {
      throw mismatch(x, y);
    }
    return rows(pass, x, xCol, y, yCol, fromRow, toRow);
  }

  private Divisible rows(
      Pass pass, Matrix x, int xCol, Matrix y, int yCol, int fromRow, int toRow) {
    return new Divisible(
        panels(),
        panelCost(toRow - fromRow),
        (from, to, worker) -> multiply(pass, worker, x, xCol, y, yCol, fromRow, toRow, from, to),
        Matmul.panelsTogether(toRow - fromRow),
        rounded(x, xCol, fromRow, toRow));
  }

  /**
   * Inputs as {@link #multiply} reads them if they are rounded; null if it takes them as they are.
   */
  private RoundedRows rounded(Matrix x, int xCol, int fromRow, int toRow) {
    int rows = toRow - fromRow;
    Rounding rounding = panels.rounding(rows);
    return rounding == null || rows == 0
        ? null
        : new RoundedRows(rounding, x.data(), x.at(fromRow) + xCol, x.cols(), inputs, rows);
  }

  /** Work on ranges of panels, as tasks have them, that is told their outputs. */
  public Divisible.RangeWork ofOutputs(Divisible.RangeWork work) {
    return (from, to, worker) -> work.run(from * PANEL, Math.min(outputs, to * PANEL), worker);
  }

  /**
   * What {@link #task(Pass, Matrix, int, Matrix, int)} does, and what follows from a range of
   * outputs alone: of many rows a few panels at a time, while their outputs are in the cache.
   *
   * @param each what that costs for a value of a row, as {@link Divisible} counts it
   * @param next is told the outputs, numbered from 0
   */
  public Divisible task(
      Pass pass, Matrix x, int xCol, Matrix y, int yCol, int each, Divisible.RangeWork next) {
    long more = (long) each * PANEL * x.rows();
    Divisible task = task(pass, x, xCol, y, yCol).then(more, ofOutputs(next));
    return x.rows() < MANY ? task : task.byGroups();
  }

  /** How many panels there are, of {@link Matmul#PANEL_ROWS} outputs each but the last. */
  public int panels() {
    return Math.ceilDiv(outputs, PANEL);
  }

  /**
   * The cost of a panel for so many rows, as {@link Divisible} counts it. To read and decode a
   * weight takes about as long as to multiply it by a few activations.
   */
  public long panelCost(int rows) {
    return PANEL * inputs * (rows + 3L);
  }

  /**
   * Computes the outputs of panels {@code [fromPanel, toPanel)} for rows {@code [fromRow, toRow)},
   * on the thread that calls it.
   */
  public void multiply(
      Pass pass,
      int worker,
      Matrix x,
      Matrix y,
      int fromRow,
      int toRow,
      int fromPanel,
      int toPanel) {
    requireRows(x, y, toRow);
    multiply(pass, worker, x, 0, y, 0, fromRow, toRow, fromPanel, toPanel);
  }

  /**
   * The same, with the first of these outputs in the first column of {@code y}, which has as many
   * columns at least.
   */
  public void multiplyPart(
      Pass pass,
      int worker,
      Matrix x,
      Matrix y,
      int fromRow,
      int toRow,
      int fromPanel,
      int toPanel) {
    int first = fromPanel * PANEL;
    int cols = Math.min(outputs, toPanel * PANEL) - first;
    if (x.cols() != inputs || y.cols() < cols || toRow > x.rows() || toRow > y.rows()) {
      throw mismatch(x, y);
    }
    multiply(pass, worker, x, 0, y, -first, fromRow, toRow, fromPanel, toPanel);
  }

  private void requireRows(Matrix x, Matrix y, int toRow) {
    if (x.cols() != inputs || y.cols() != outputs || toRow > x.rows() || toRow > y.rows()) {
      throw mismatch(x, y);
    }
  }

  private void multiply(
      Pass pass,
      int worker,
      Matrix x,
      int xCol,
      Matrix y,
      int yCol,
      int fromRow,
      int toRow,
      int fromPanel,
      int toPanel) {
    int rows = toRow - fromRow;
    if (rows == 0) {
      return;
    }
    Inputs given = new Inputs(x.data(), x.at(fromRow) + xCol, x.cols(), rows);
    RoundedRows rounded = rounded(x, xCol, fromRow, toRow);
    int roundedAt = rounded == null ? -1 : pass.roundedAt(rounded);
    if (roundedAt >= 0) {
      given = given.rounded(pass.roundedInputs(), roundedAt);
    }
    float[] scratch = pass.scratch(worker, panels.scratchFloats(given));
    panels.multiply(fromPanel, toPanel, given, y.data(), y.at(fromRow) + yCol, y.cols(), scratch);
    if (bias != null) {
      int from = fromPanel * PANEL;
      int to = Math.min(outputs, toPanel * PANEL);
      for (int row = fromRow; row < toRow; row++) {
        int at = y.at(row) + yCol;
        for (int i = from; i < to; i++) {
          y.data()[at + i] += bias[i];
        }
      }
    }
  }

  private IllegalArgumentException mismatch(Matrix x, Matrix y) {
    return new IllegalArgumentException(
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
}
