package dev.apus.core.weight;

import dev.apus.core.compute.Workers;
import dev.apus.core.file.TensorContent;
import dev.apus.core.weight.StoredLayout.Column;
import dev.apus.core.weight.StoredLayout.Row;
import dev.apus.core.weight.StoredLayout.Tensor;
import dev.apus.kernels.block.WeightFormat;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import java.util.List;

/**
 * The weights that {@link RandomWeights} draws from a seed, as the tensors of a checkpoint: a model
 * that is opened from them has the weights of a model made from the seed.
 *
 * <p>Rows are drawn when a file is written, a few at a time and by all threads, so that a model may
 * be larger than the memory.
 */
public final class RandomTensors {

  /**
   * A tensor to be written.
   *
   * @param shape outermost dimension first
   * @param matrix whether rows of activations are multiplied with it
   */
  public record Made(
      String name, List<Long> shape, WeightFormat format, boolean matrix, TensorContent content) {}

  /** Values that are drawn before they are written. */
  private static final int CHUNK = 1 << 23;

  /** Values of one part of a thread's work. */
  private static final int PART = 1 << 16;

  private final RandomWeights weights;
  private final Workers workers;

  public RandomTensors(long seed, Workers workers) {
    this.weights = new RandomWeights(seed, WeightFormat.F32);
    this.workers = workers;
  }

  /**
   * The tensors that hold a model's weights under a family's names, with their matrices in a
   * format. Vectors, routers and rows that do not divide into blocks are F32.
   *
   * @throws WeightException if the family's table of names has no way back
   */
  public List<Made> of(WeightList list, WeightNames names, WeightFormat format) {
    return StoredLayout.of(list, names).stream().map(tensor -> made(tensor, format)).toList();
  }

  /** Routers stay as {@link Quantization} leaves them. */
  private Made made(Tensor tensor, WeightFormat format) {
    List<Long> shape = tensor.shape();
    boolean stays =
        !tensor.matrix()
            || shape.getLast() % format.blockLength() != 0
            || Quantization.ROUTERS.matcher(tensor.name()).find();
    WeightFormat stored = stays ? WeightFormat.F32 : format;
    return new Made(
        tensor.name(), shape, stored, tensor.matrix(), out -> write(tensor, stored, out));
  }

  private void write(Tensor tensor, WeightFormat format, WritableByteChannel out)
      throws IOException {
    if (tensor.vector()) {
      float[] values = vector(tensor);
      writeRows(new Rows(values, values.length), format, out);
    } else if (!tensor.columns().isEmpty()) {
      writeRows(turned(tensor), format, out);
    } else {
      writeDrawn(tensor, format, out);
    }
  }

  /** Values as rows. */
  private record Rows(float[] values, int cols) {}

  private float[] vector(Tensor tensor) {
    float[] values = new float[tensor.rows().size()];
    float[] drawn = {};
    Row last = null;
    for (int i = 0; i < values.length; i++) {
      Row row = tensor.rows().get(i);
      if (last == null || row.of() != last.of()) {
        drawn = new float[row.of().cols()];
        weights.draw(row.of().key(), 0, row.of().typical(), drawn);
      }
      values[i] = row.conversion().stored(drawn[row.row()]);
      last = row;
    }
    return values;
  }

  private Rows turned(Tensor tensor) {
    int cols = tensor.cols();
    float[] values = new float[Math.multiplyExact(tensor.rows().size(), cols)];
    float[] whole = new float[cols];
    for (int row = 0; row < tensor.rows().size(); row++) {
      if (tensor.rows().get(row) != null) {
        draw(tensor.rows().get(row), whole);
        System.arraycopy(whole, 0, values, row * cols, cols);
      }
    }
    for (Column column : tensor.columns()) {
      float[] drawn = new float[column.row().of().cols()];
      draw(column.row(), drawn);
      for (int i = 0; i < drawn.length; i++) {
        values[(column.fromRow() + i) * cols + column.column()] = drawn[i];
      }
    }
    return new Rows(values, cols);
  }

  private static void writeRows(Rows rows, WeightFormat format, WritableByteChannel out)
      throws IOException {
    int count = rows.values.length / rows.cols;
    MemorySegment data =
        MemorySegment.ofArray(new byte[Math.toIntExact(count * format.rowBytes(rows.cols))]);
    format.codec().encode(rows.values, 0, data, 0, rows.values.length);
    writeAll(out, data);
  }

  private void writeDrawn(Tensor tensor, WeightFormat format, WritableByteChannel out)
      throws IOException {
    int cols = tensor.cols();
    long rowBytes = format.rowBytes(cols);
    int count = tensor.rows().size();
    int chunk = Math.clamp(CHUNK / cols, 1, count);
    int part = Math.clamp(PART / cols, 1, chunk);
    try (Arena arena = Arena.ofShared()) {
      MemorySegment data = arena.allocate(chunk * rowBytes, 64);
      for (int from = 0; from < count; from += chunk) {
        int first = from;
        int rows = Math.min(chunk, count - from);
        workers.run(
            Math.ceilDiv(rows, part),
            (p, worker) -> {
              float[] values = new float[cols];
              for (int row = p * part; row < Math.min(rows, (p + 1) * part); row++) {
                draw(tensor.rows().get(first + row), values);
                format.codec().encode(values, 0, data, row * rowBytes, cols);
              }
            });
        writeAll(out, data.asSlice(0, rows * rowBytes));
      }
    }
  }

  private static void writeAll(WritableByteChannel out, MemorySegment data) throws IOException {
    ByteBuffer bytes = data.asByteBuffer();
    while (bytes.hasRemaining()) {
      out.write(bytes);
    }
  }

  private void draw(Row row, float[] values) {
    weights.draw(row.of().key(), row.row(), row.of().typical(), values);
    for (int i = 0; i < values.length; i++) {
      values[i] = row.conversion().stored(values[i]);
    }
  }
}
