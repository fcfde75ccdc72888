package dev.apus.core.weight;

import dev.apus.core.weight.Conversion.FloatFunction;
import dev.apus.core.weight.Conversion.Origin;
import java.lang.foreign.MemorySegment;
import java.util.ArrayList;
import java.util.List;
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
  }

  record Chain(Conversion first, Conversion next) implements Conversion {

    @Override
    public StoredRows apply(List<StoredRows> stored) {
      return next.apply(List.of(first.apply(stored)));
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
    public boolean turns() {
      return first.turns() != next.turns();
    }
  }

  record Gather(int count, IntUnaryOperator from) implements Conversion {

    @Override
    public StoredRows apply(List<StoredRows> stored) {
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
    }

    @Override
    public IntFunction<Origin> origins(List<IntFunction<Origin>> stored) {
      return row -> stored.getFirst().apply(from.applyAsInt(row));
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
  }

  record Concatenated(List<Conversion> parts) implements Conversion {

    @Override
    public StoredRows apply(List<StoredRows> stored) {
      return join(parts.stream().map(part -> part.apply(stored)).toList());
    }

    @Override
    public IntFunction<Origin> origins(List<IntFunction<Origin>> stored) {
      List<Integer> counts = new ArrayList<>();
      List<IntFunction<Origin>> origins = new ArrayList<>();
      for (Conversion part : parts) {
        if (!(part instanceof Gather gather)) {
          throw new WeightException("of rows that are joined, it is unknown how many there are");
        }
        counts.add(gather.count);
        origins.add(gather.origins(stored));
      }
      return row -> oneAfterTheOther(counts, origins, row);
    }
  }

  record Values(FloatFunction f, FloatFunction undo) implements Conversion {

    @Override
    public StoredRows apply(List<StoredRows> stored) {
      return values(stored.getFirst(), f);
    }

    @Override
    public IntFunction<Origin> origins(List<IntFunction<Origin>> stored) {
      return stored.getFirst();
    }

    @Override
    public float stored(float x) {
      return undo.of(x);
    }
  }

  record Transposed() implements Conversion {

    @Override
    public StoredRows apply(List<StoredRows> stored) {
      return transpose(stored.getFirst());
    }

    @Override
    public IntFunction<Origin> origins(List<IntFunction<Origin>> stored) {
      return stored.getFirst();
    }

    @Override
    public boolean turns() {
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

  private static StoredRows transpose(StoredRows all) {
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
