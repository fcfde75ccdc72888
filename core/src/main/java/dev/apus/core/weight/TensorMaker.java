package dev.apus.core.weight;

import dev.apus.core.compute.Workers;
import dev.apus.core.weight.RandomTensors.Made;
import dev.apus.core.weight.StoredLayout.Column;
import dev.apus.core.weight.StoredLayout.Row;
import dev.apus.core.weight.StoredLayout.Tensor;
import dev.apus.core.weight.WeightList.Wanted;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.nio.channels.WritableByteChannel;
import java.util.List;
import java.util.function.Function;

/** Makes the tensors of a checkpoint of a model's weights, wherever these come from. */
final class TensorMaker {

  /** The weights of a model, row by row; asked by several threads. */
  @FunctionalInterface
  interface Weights {

    /** Writes the values of a row, or of a vector. */
    void read(Wanted of, int row, float[] values);

    /** The rows as they are stored, which may be copied; null if they have to be read. */
    default StoredRows stored(Wanted of) {
      return null;
    }
  }

  private final Weights weights;
  private final Workers workers;

  /** What is told of the tensors that get another format than they have; null for nobody. */
  private final Accounts accounts;

  TensorMaker(Weights weights, Workers workers, Accounts accounts) {
    this.weights = weights;
    this.workers = workers;
    this.accounts = accounts;
  }

  /**
   * The tensors that hold a model's weights under a family's names.
   *
   * @param formats of matrices whose rows divide into blocks; everything else is F32
   * @throws WeightException if the family's table of names has no way back
   */
  List<Made> of(WeightList list, WeightNames names, Function<Tensor, WeightFormat> formats) {
    return StoredLayout.of(list, names).stream().map(tensor -> made(tensor, formats)).toList();
  }

  /** Routers stay as {@link Quantization} leaves them. */
  private Made made(Tensor tensor, Function<Tensor, WeightFormat> formats) {
    List<Long> shape = tensor.shape();
    WeightFormat wished =
        !tensor.matrix() || Quantization.ROUTERS.matcher(tensor.name()).find()
            ? WeightFormat.F32
            : formats.apply(tensor);
    WeightFormat stored = shape.getLast() % wished.blockLength() == 0 ? wished : WeightFormat.F32;
    RowWriter writer = new RowWriter(workers, accounts == null ? null : counted(tensor, stored));
    return new Made(
        tensor.name(), shape, stored, tensor.matrix(), out -> write(tensor, stored, writer, out));
  }

  private RowWriter.Listener counted(Tensor tensor, WeightFormat stored) {
    Wanted any =
        tensor.columns().isEmpty()
            ? tensor.rows().getFirst().of()
            : tensor.columns().getFirst().row().of();
    WeightFormat had = weights.stored(any).format();
    long values = tensor.shape().stream().reduce(1L, Math::multiplyExact);
    boolean changes = tensor.matrix() && stored != had;
    RowWriter.Listener sums =
        accounts.count(tensor.name(), changes, bytes(had, values), bytes(stored, values));
    return changes ? sums : null;
  }

  private static long bytes(WeightFormat format, long values) {
    return values / format.blockLength() * format.rowBytes(format.blockLength());
  }

  private void write(Tensor tensor, WeightFormat format, RowWriter writer, WritableByteChannel out)
      throws IOException {
    if (tensor.vector()) {
      float[] values = vector(tensor);
      writeAll(values, values.length, format, writer, out);
    } else if (!tensor.columns().isEmpty()) {
      writeAll(turned(tensor), tensor.cols(), format, writer, out);
    } else {
      writeRows(tensor, format, writer, out);
    }
  }

  private static void writeAll(
      float[] values, int cols, WeightFormat format, RowWriter writer, WritableByteChannel out)
      throws IOException {
    writer.write(
        values.length / cols,
        cols,
        format,
        (row, to) -> System.arraycopy(values, row * cols, to, 0, cols),
        out);
  }

  private float[] vector(Tensor tensor) {
    float[] values = new float[tensor.rows().size()];
    float[] read = {};
    Row last = null;
    for (int i = 0; i < values.length; i++) {
      Row row = tensor.rows().get(i);
      if (last == null || row.of() != last.of()) {
        read = new float[row.of().cols()];
        weights.read(row.of(), 0, read);
      }
      values[i] = row.conversion().stored(read[row.row()]);
      last = row;
    }
    return values;
  }

  private float[] turned(Tensor tensor) {
    int cols = tensor.cols();
    float[] values = new float[Math.multiplyExact(tensor.rows().size(), cols)];
    float[] whole = new float[cols];
    for (int row = 0; row < tensor.rows().size(); row++) {
      if (tensor.rows().get(row) != null) {
        read(tensor.rows().get(row), whole);
        System.arraycopy(whole, 0, values, row * cols, cols);
      }
    }
    for (Column column : tensor.columns()) {
      float[] read = new float[column.row().of().cols()];
      read(column.row(), read);
      for (int i = 0; i < read.length; i++) {
        values[(column.fromRow() + i) * cols + column.column()] = read[i];
      }
    }
    return values;
  }

  private void writeRows(
      Tensor tensor, WeightFormat format, RowWriter writer, WritableByteChannel out)
      throws IOException {
    for (int from = 0, to; from < tensor.rows().size(); from = to) {
      Row first = tensor.rows().get(from);
      to = from + 1;
      while (to < tensor.rows().size() && tensor.rows().get(to).of() == first.of()) {
        to++;
      }
      StoredRows stored = first.conversion().movesOnly() ? weights.stored(first.of()) : null;
      if (stored != null && stored.format() == format) {
        for (Row row : tensor.rows().subList(from, to)) {
          RowWriter.write(stored.rows().get(row.row()), out);
        }
      } else {
        int start = from;
        writer.write(
            to - from,
            tensor.cols(),
            format,
            (row, values) -> read(tensor.rows().get(start + row), values),
            out);
      }
    }
  }

  private void read(Row row, float[] values) {
    weights.read(row.of(), row.row(), values);
    for (int i = 0; i < values.length; i++) {
      values[i] = row.conversion().stored(values[i]);
    }
  }
}
