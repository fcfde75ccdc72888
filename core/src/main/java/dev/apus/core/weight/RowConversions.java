package dev.apus.core.weight;

import dev.apus.core.file.StoredTensor;
import dev.apus.core.weight.Conversion.FloatFunction;
import dev.apus.core.weight.Conversion.Origin;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Function;
import java.util.function.IntFunction;
import java.util.function.IntUnaryOperator;

/** The conversions that know their way back. */
final class RowConversions {

  private RowConversions() {}

  record AsStored() implements Conversion {

    @Override
    public StoredRows apply(List<StoredRows> stored) {
      return stored.getFirst();
    }

    @Override
    public IntFunction<Origin> origins(List<IntFunction<Origin>> stored) {
      return stored.getFirst();
    }

    @Override
    public boolean movesOnly() {
      return true;
    }
  }

  record Chain(Conversion first, Conversion next) implements Conversion {

    @Override
    public StoredRows apply(List<StoredRows> stored) {
      return next.apply(List.of(first.apply(stored)));
    }

    @Override
    public StoredRows read(List<StoredTensor> tensors, Function<StoredTensor, StoredRows> open) {
      return next.apply(List.of(first.read(tensors, open)));
    }

    @Override
    public IntFunction<Origin> origins(List<IntFunction<Origin>> stored) {
      return next.origins(List.of(first.origins(stored)));
    }

    @Override
    public float stored(float x) {
      return first.stored(next.stored(x));
    }

    @Override
    public boolean movesOnly() {
      return first.movesOnly() && next.movesOnly();
    }
  }

  record Gather(int count, IntUnaryOperator from) implements Conversion {

    @Override
    public StoredRows apply(List<StoredRows> stored) {
      StoredRows all = stored.getFirst();
      MadeRows made = all.rows() instanceof MadeRows rows ? rows : null;
      var rows = new ArrayList<MemorySegment>(Math.min(count, all.rows().size()));
      for (int row = 0; row < count; row++) {
        int source = from.applyAsInt(row);
        if (source < 0 || source >= all.rows().size()) {
          throw new WeightException(
              all.source() + " has " + all.rows().size() + " rows, row " + source + " is needed");
        }
        if (made == null) {
          rows.add(all.rows().get(source));
        }
      }
      List<MemorySegment> picked = made == null ? rows : made.gathered(count, from);
      return new StoredRows(all.source(), all.format(), all.cols(), picked);
    }

    @Override
    public IntFunction<Origin> origins(List<IntFunction<Origin>> stored) {
      return row -> stored.getFirst().apply(from.applyAsInt(row));
    }

    @Override
    public boolean movesOnly() {
      return true;
    }
  }

  record Joined(List<Integer> counts) implements Conversion {

    @Override
    public StoredRows apply(List<StoredRows> stored) {
      return join(stored);
    }

    @Override
    public IntFunction<Origin> origins(List<IntFunction<Origin>> stored) {
      return row -> oneAfterTheOther(counts, stored, row);
    }

    @Override
    public boolean movesOnly() {
      return true;
    }
  }

  record Values(FloatFunction f, FloatFunction undo) implements Conversion {

    /** How many floats on either side of an inverse are tried. */
    private static final int NEAR = 8;

    @Override
    public StoredRows apply(List<StoredRows> stored) {
      return values(stored.getFirst(), f);
    }

    @Override
    public IntFunction<Origin> origins(List<IntFunction<Origin>> stored) {
      return stored.getFirst();
    }

    /** Of the floats near the function's inverse, the one of which exactly {@code x} is made. */
    @Override
    public float stored(float x) {
      float up = undo.of(x);
      float near = up;
      float down = up;
      for (int i = 0; i < NEAR; i++) {
        if (f.of(up) == x) {
          return up;
        }
        if (f.of(down) == x) {
          return down;
        }
        up = Math.nextUp(up);
        down = Math.nextDown(down);
      }
      return near;
    }
  }

  record Ternary() implements Conversion {

    /** No mean is taken to be smaller. */
    private static final float LEAST = 1e-5f;

    @Override
    public StoredRows apply(List<StoredRows> stored) {
      float[] values = stored.getFirst().decode();
      double sum = 0;
      for (float value : values) {
        sum += Math.abs(value);
      }
      // Computed with the inverse, as the models were trained.
      float inverse = 1 / Math.max((float) (sum / values.length), LEAST);
      for (int i = 0; i < values.length; i++) {
        values[i] = Math.clamp((float) Math.rint(values[i] * inverse), -1, 1) / inverse;
      }
      return StoredRows.of(stored.getFirst().source(), values, stored.getFirst().cols());
    }

    @Override
    public IntFunction<Origin> origins(List<IntFunction<Origin>> stored) {
      return stored.getFirst();
    }
  }

  /**
   * The columns of each group of {@code rows} rows of {@code cols} values; of {@code MAX_VALUE},
   * those of all rows, of whatever length.
   */
  record Transposed(int rows, int cols) implements Conversion {

    private boolean whole() {
      return rows == Integer.MAX_VALUE;
    }

    @Override
    public StoredRows apply(List<StoredRows> stored) {
      StoredRows all = stored.getFirst();
      int count = all.rows().size();
      if (whole()) {
        // A bias, one value a row, stays as it is.
        return all.cols() == 1 ? all : new Turned(all, Math.max(1, count)).rows();
      }
      if (count % rows != 0 || all.cols() != cols) {
        throw new WeightException(
            all.source() + " is " + all.shape() + ", not groups of [" + rows + ", " + cols + "]");
      }
      return new Turned(all, rows).rows();
    }

    /** The rows of a group must lie one below the other, and its columns side by side. */
    @Override
    public IntFunction<Origin> origins(List<IntFunction<Origin>> stored) {
      IntFunction<Origin> of = stored.getFirst();
      return row -> {
        int group = row / cols;
        int at = row % cols;
        Origin first = of.apply(whole() ? 0 : group * rows);
        return first.column() == Origin.NONE
            ? new Origin(first.tensor(), first.row(), at)
            : new Origin(first.tensor(), first.row() + at);
      };
    }

    @Override
    public boolean movesOnly() {
      return true;
    }
  }

  static StoredRows values(StoredRows all, FloatFunction f) {
    float[] values = all.decode();
    for (int i = 0; i < values.length; i++) {
      values[i] = f.of(values[i]);
    }
    return StoredRows.of(all.source(), values, all.cols());
  }

  static StoredRows join(List<StoredRows> stored) {
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

  private static Origin oneAfterTheOther(
      List<Integer> counts, List<IntFunction<Origin>> origins, int row) {
    int at = row;
    for (int i = 0; i < counts.size(); i++) {
      if (at < counts.get(i)) {
        return origins.get(i).apply(at);
      }
      at -= counts.get(i);
    }
    throw new WeightException("row " + row + " is past the last of " + counts + " rows");
  }
}
