package dev.apus.core.weight;

import dev.apus.core.weight.Conversion.Origin;
import dev.apus.core.weight.WeightList.Wanted;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.function.IntFunction;

/**
 * The tensors of a checkpoint that holds the weights of a model: a family's table of names, read
 * the other way. Of several names that a weight may have, it takes the likeliest.
 */
final class StoredLayout {

  /**
   * A tensor, row by row.
   *
   * @param experts how many experts' rows lie in it one after the other; 0 if it is not made so
   * @param rows a weight's row for each stored row; null for those that columns fill
   * @param columns weights' rows that are columns of some rows here
   */
  record Tensor(String name, int cols, int experts, List<Row> rows, List<Column> columns) {

    private Wanted any() {
      return columns.isEmpty() ? rows.getFirst().of : columns.getFirst().row.of;
    }

    boolean vector() {
      return any().vector();
    }

    /** Whether it is a matrix that rows of activations are multiplied with. */
    boolean matrix() {
      return any().typical() == null;
    }

    /** Whether its columns lie in groups and are all there is: inputs of each output, by taps. */
    private boolean convolution() {
      return columns.stream().anyMatch(column -> column.fromRow > 0)
          && rows.stream().allMatch(Objects::isNull);
    }

    /** The dimensions, outermost first. */
    List<Long> shape() {
      long count = rows.size();
      if (vector()) {
        return experts > 0 ? List.of((long) experts, count / experts) : List.of(count);
      }
      if (convolution()) {
        long inner = columns.getFirst().row.of.cols();
        return List.of(count / inner, inner, (long) cols);
      }
      return experts > 0
          ? List.of((long) experts, count / experts, (long) cols)
          : List.of(count, (long) cols);
    }
  }

  /** Row {@code row} of a weight, or value {@code row} of a vector. */
  record Row(Wanted of, Conversion conversion, int row) {}

  /** A weight's row whose values lie in a column, one below the other. */
  record Column(int fromRow, int column, Row row) {

    private int toRow() {
      return fromRow + row.of.cols();
    }
  }

  private static final class Draft {

    private final String name;
    private final List<Row> rows = new ArrayList<>();
    private final Map<List<Integer>, Column> columns = new LinkedHashMap<>();
    private boolean shared;
    private int experts;

    Draft(String name) {
      this.name = name;
    }

    void put(Origin origin, Row row) {
      if (origin.column() == Origin.NONE) {
        reserve(origin.row() + 1);
        if (rows.get(origin.row()) == null) {
          rows.set(origin.row(), row);
        }
        return;
      }
      Column column = new Column(origin.row(), origin.column(), row);
      reserve(column.toRow());
      columns.putIfAbsent(List.of(origin.row(), origin.column()), column);
    }

    private void reserve(int count) {
      while (rows.size() < count) {
        rows.add(null);
      }
    }

    Tensor tensor() {
      int cols = cols();
      int[] filled = new int[rows.size()];
      for (Column column : columns.values()) {
        for (int row = column.fromRow; row < column.toRow(); row++) {
          filled[row]++;
        }
      }
      for (int row = 0; row < filled.length; row++) {
        if (rows.get(row) == null && filled[row] < cols) {
          throw new WeightException(
              "tensor " + name + ": row " + row + " of " + rows.size() + " is part of no weight");
        }
      }
      return new Tensor(name, cols, shared ? experts : 0, rows, List.copyOf(columns.values()));
    }

    private int cols() {
      Row straight = rows.stream().filter(Objects::nonNull).findFirst().orElse(null);
      return straight == null
          ? 1 + columns.values().stream().mapToInt(Column::column).max().orElseThrow()
          : straight.of.vector() ? 1 : straight.of.cols();
    }
  }

  private StoredLayout() {}

  /**
   * The tensors, in the order in which the weights were asked for.
   *
   * @throws WeightException if the table has no name for a weight, or no way back
   */
  static List<Tensor> of(WeightList weights, WeightNames names) {
    Map<String, Draft> drafts = new LinkedHashMap<>();
    for (Wanted wanted : weights.wanted()) {
      place(wanted, names, drafts);
    }
    return drafts.values().stream().map(Draft::tensor).toList();
  }

  private static void place(Wanted wanted, WeightNames names, Map<String, Draft> drafts) {
    WeightNames.Source source = likeliest(wanted.key(), wanted.key().expert(), names);
    List<Draft> tensors =
        source.names().stream().map(n -> drafts.computeIfAbsent(n, Draft::new)).toList();
    int expert = wanted.key().expert();
    if (expert >= 0 && likeliest(wanted.key(), expert + 1, names).names().equals(source.names())) {
      tensors.forEach(
          draft -> {
            draft.shared = true;
            draft.experts = Math.max(draft.experts, expert + 1);
          });
    }
    List<IntFunction<Origin>> stored = new ArrayList<>();
    for (int i = 0; i < tensors.size(); i++) {
      int tensor = i;
      stored.add(row -> new Origin(tensor, row));
    }
    IntFunction<Origin> origins = origins(wanted, source, stored);
    int rows = wanted.vector() ? wanted.cols() : wanted.rows();
    for (int row = 0; row < rows; row++) {
      Origin origin = origins.apply(row);
      if (wanted.vector() && origin.column() != Origin.NONE) {
        origin = new Origin(origin.tensor(), origin.column());
      }
      tensors.get(origin.tensor()).put(origin, new Row(wanted, source.conversion(), row));
    }
  }

  private static IntFunction<Origin> origins(
      Wanted wanted, WeightNames.Source source, List<IntFunction<Origin>> stored) {
    try {
      return source.conversion().origins(stored);
    } catch (WeightException e) {
      throw new WeightException(
          String.format(
              Locale.ROOT,
              "%s cannot be written as %s: %s",
              wanted.key(),
              String.join(", ", source.names()),
              e.getMessage()));
    }
  }

  static WeightNames.Source likeliest(WeightSource.Key key, int expert, WeightNames names) {
    List<WeightNames.Source> sources = names.find(key.name(), key.layer(), expert);
    if (sources.isEmpty()) {
      throw new WeightException("this family's table of names has no row for " + key.name());
    }
    return sources.getFirst();
  }
}
