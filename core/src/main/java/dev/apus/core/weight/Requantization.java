package dev.apus.core.weight;

import dev.apus.core.compute.Workers;
import dev.apus.core.file.StoredTensor;
import dev.apus.core.file.TensorContent;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.function.LongConsumer;

/**
 * Stores the tensors of a checkpoint in another weight format, a few rows at a time, and keeps
 * account of what that costs.
 */
public final class Requantization {

  private final Quantization rules;
  private final Workers workers;
  private final LongConsumer written;
  private final Accounts accounts = new Accounts();

  /**
   * @param written is told the bytes of the old file that have been dealt with since it was told
   *     before
   */
  public Requantization(Quantization rules, Workers workers, LongConsumer written) {
    this.rules = rules;
    this.workers = workers;
    this.written = written;
  }

  /** The type that a tensor gets. */
  public String type(StoredTensor tensor) {
    WeightFormat format = rules.formatOf(tensor);
    return format == null ? tensor.type() : format.name();
  }

  /** Counts a tensor that is to be written, and gives its new bytes. */
  public TensorContent content(StoredTensor tensor) {
    long before = tensor.data().byteSize();
    if (!rules.changes(tensor)) {
      accounts.count(tensor.name(), false, before, before);
      return out -> {
        RowWriter.write(tensor.data(), out);
        done(tensor);
      };
    }
    StoredRows rows = StoredRows.of(tensor);
    WeightFormat format = rules.formatOf(tensor);
    long after = rows.rows().size() * format.rowBytes(rows.cols());
    RowWriter.Listener sums = accounts.count(tensor.name(), true, before, after);
    return out -> write(rows, format, sums, tensor, out);
  }

  private void done(StoredTensor tensor) {
    written.accept(tensor.data().byteSize());
    tensor.release();
  }

  private void write(
      StoredRows rows,
      WeightFormat format,
      RowWriter.Listener sums,
      StoredTensor tensor,
      WritableByteChannel out)
      throws IOException {
    try {
      new RowWriter(workers, sums)
          .write(
              rows.rows().size(),
              rows.cols(),
              format,
              (row, values) -> rows.decode(row, values, 0),
              out);
    } catch (IllegalArgumentException e) {
      throw new WeightException(
          rows.source() + " cannot be stored as " + format + ": " + e.getMessage());
    }
    done(tensor);
  }

  /** What became of the tensors, after all have been written. */
  public List<Accounts.Account> accounts() {
    return accounts.list();
  }
}
