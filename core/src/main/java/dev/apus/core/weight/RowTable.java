package dev.apus.core.weight;

/** A matrix that is read a row at a time, such as an embedding. */
public final class RowTable {

  private final int rows;
  private final int cols;
  private final Reader reader;

  @FunctionalInterface
  private interface Reader {
    void read(int row, float[] values, int valuesAt);
  }

  private RowTable(int rows, int cols, Reader reader) {
    this.rows = rows;
    this.cols = cols;
    this.reader = reader;
  }

  /** Rows left where their file stores them. */
  public static RowTable of(StoredRows stored) {
    return new RowTable(stored.rows().size(), stored.cols(), stored::decode);
  }

  /** The rows of a weight that is multiplied by, too, so that it lies in memory once. */
  public static RowTable of(Projection projection) {
    return new RowTable(
        projection.outputs(),
        projection.inputs(),
        (row, values, at) -> projection.weights().read(row, values, at));
  }

  /** A row for each pair of a row of the first and one of the second, these changing faster. */
  public static RowTable crossed(RowTable first, RowTable second) {
    return new RowTable(
        Math.multiplyExact(first.rows, second.rows),
        first.cols + second.cols,
        (row, values, at) -> {
          first.read(row / second.rows, values, at);
          second.read(row % second.rows, values, at + first.cols);
        });
  }

  public int rows() {
    return rows;
  }

  public int cols() {
    return cols;
  }

  /** Writes the values of a row. */
  public void read(int row, float[] values, int valuesAt) {
    reader.read(row, values, valuesAt);
  }
}
