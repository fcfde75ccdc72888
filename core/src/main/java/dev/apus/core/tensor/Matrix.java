package dev.apus.core.tensor;

import dev.apus.kernels.memory.MatrixMemory;
import java.util.Objects;

/**
 * A row-major block of activations: one row for each token.
 *
 * @param data at least {@code rows · cols} values; what lies past them belongs to nobody
 */
public record Matrix(float[] data, int rows, int cols) {

  public Matrix {
    Objects.requireNonNull(data, "data");
    if (rows < 0 || cols < 0 || data.length < Math.multiplyExact(rows, cols)) {
      throw new IllegalArgumentException(
          rows + " × " + cols + " does not fit into " + data.length + " floats");
    }
  }

  public static Matrix zeros(int rows, int cols) {
    return new Matrix(new float[Math.multiplyExact(rows, cols)], rows, cols);
  }

  /** The index in {@link #data} of the first value of a row. */
  public int at(int row) {
    return row * cols;
  }

  /** The rows from one on, each from a column on, as kernels of memories take a head's values. */
  public MatrixMemory.Rows from(int row, int col) {
    return new MatrixMemory.Rows(data, at(row) + col, cols);
  }
}
