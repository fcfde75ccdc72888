package dev.apus.core.compute;

import dev.apus.kernels.matmul.Rounding;

/**
 * Rows of inputs that a job's parts read rounded. Equal if they are the same rows of the same
 * array, rounded alike.
 *
 * @param x row {@code i} has its {@code cols} values from {@code at + i · stride}
 */
public record RoundedRows(Rounding rounding, float[] x, int at, int stride, int cols, int rows) {

  /** To round a value takes about as long as so many multiply-adds. */
  private static final long VALUE_COST = 16;

  /** Written out, as every part asks for its rows: what a record has is slow until it is hot. */
  @Override
  public boolean equals(Object other) {
    return other instanceof RoundedRows that
        && x == that.x
        && at == that.at
        && rows == that.rows
        && cols == that.cols
        && stride == that.stride
        && rounding == that.rounding;
  }

  @Override
  public int hashCode() {
    return 31 * System.identityHashCode(x) + at;
  }

  int floats() {
    return rounding.floats(cols, rows);
  }

  /** Rounds them. */
  Divisible task(float[] rounded, int roundedAt) {
    return new Divisible(
        rows,
        VALUE_COST * cols,
        (from, to, worker) ->
            rounding.round(x, at, stride, cols, rows, from, to, rounded, roundedAt));
  }
}
