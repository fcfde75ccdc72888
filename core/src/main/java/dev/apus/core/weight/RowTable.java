package dev.apus.core.weight;

/** A matrix that is read a row at a time, such as an embedding, left as its file stores it. */
public final class RowTable {

  private final StoredRows stored;

  public RowTable(StoredRows stored) {
    this.stored = stored;
  }

  public int rows() {
    return stored.rows().size();
  }

  public int cols() {
    return stored.cols();
  }

  /** Writes the values of a row. */
  public void read(int row, float[] values, int valuesAt) {
    stored.decode(row, values, valuesAt);
  }
}
