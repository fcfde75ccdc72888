package dev.apus.core.weight;

import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.IntUnaryOperator;

/** How the tensors a file stores become the one weight that a mixer's formula names. */
@FunctionalInterface
public interface Conversion {

  /** One tensor, as it is. */
  Conversion AS_STORED = List::getFirst;

  /** {@code −e^x}: state-space decays are stored as logarithms. */
  Conversion MINUS_EXP = values(x -> (float) -StrictMath.exp(x));

  /** {@code 1 + x}: norms whose weights are stored as the distance from one. */
  Conversion PLUS_ONE = values(x -> 1 + x);

  /** {@code x − 1}: undoes a converter that has added the one. */
  Conversion MINUS_ONE = values(x -> x - 1);

  /**
   * Rows as columns: the weights of GPT-2's {@code Conv1D}. A bias, one value a row, stays as it
   * is.
   */
  Conversion TRANSPOSED = Conversion::transpose;

  /** All rows of the tensors, one tensor after the other. */
  Conversion JOINED = Conversion::join;

  StoredRows apply(List<StoredRows> stored);

  /** This conversion, then another on its result. */
  default Conversion then(Conversion next) {
    return stored -> next.apply(List.of(apply(stored)));
  }

  /** {@code count} rows from row {@code from}. */
  static Conversion rows(int from, int count) {
    return gather(count, row -> from + row);
  }

  /** {@code count} rows, of which row {@code r} is the stored row {@code from.applyAsInt(r)}. */
  static Conversion gather(int count, IntUnaryOperator from) {
    return stored -> {
      StoredRows all = stored.getFirst();
      var rows = new ArrayList<MemorySegment>(Math.min(count, all.rows().size()));
      for (int row = 0; row < count; row++) {
        int source = from.applyAsInt(row);
        if (source < 0 || source >= all.rows().size()) {
          throw new WeightException(
              all.source() + " has " + all.rows().size() + " rows, row " + source + " is needed");
        }
        rows.add(all.rows().get(source));
      }
      return new StoredRows(all.source(), all.format(), all.cols(), rows);
    };
  }

  /**
   * Rows that lie as {@code groups} groups of {@code stride} rows: of each group the {@code count}
   * rows from {@code from}.
   */
  static Conversion ofEachGroup(int groups, int stride, int from, int count) {
    return gather(groups * count, row -> row / count * stride + from + row % count);
  }

  /** The results of several conversions of the same tensors, one after the other. */
  static Conversion concatenated(Conversion... parts) {
    return stored -> join(Arrays.stream(parts).map(part -> part.apply(stored)).toList());
  }

  /** A function of every value; the result is F32. */
  static Conversion values(FloatFunction f) {
    return stored -> {
      StoredRows all = stored.getFirst();
      float[] values = all.decode();
      for (int i = 0; i < values.length; i++) {
        values[i] = f.of(values[i]);
      }
      return StoredRows.of(all.source(), values, all.cols());
    };
  }

  /** A function of one value. */
  @FunctionalInterface
  interface FloatFunction {
    float of(float x);
  }

  private static StoredRows join(List<StoredRows> stored) {
    StoredRows first = stored.getFirst();
    var rows = new ArrayList<MemorySegment>();
    for (StoredRows part : stored) {
      if (part.cols() != first.cols() || part.format() != first.format()) {
        throw new WeightException(
            part.source()
                + " is "
                + part.format()
                + part.shape()
                + " and cannot be joined to "
                + first.source()
                + ", "
                + first.format()
                + first.shape());
      }
      rows.addAll(part.rows());
    }
    return new StoredRows(first.source(), first.format(), first.cols(), rows);
  }

  private static StoredRows transpose(List<StoredRows> stored) {
    StoredRows all = stored.getFirst();
    int rows = all.rows().size();
    int cols = all.cols();
    if (cols == 1) {
      return all;
    }
    float[] values = all.decode();
    float[] turned = new float[values.length];
    for (int row = 0; row < rows; row++) {
      for (int col = 0; col < cols; col++) {
        turned[col * rows + row] = values[row * cols + col];
      }
    }
    return StoredRows.of(all.source(), turned, rows);
  }
}
