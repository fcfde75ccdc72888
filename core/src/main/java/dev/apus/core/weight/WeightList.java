package dev.apus.core.weight;

import dev.apus.core.weight.WeightScope.Typical;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Map;
import java.util.Set;

/** A list of the weights that a model asks for, made while it is assembled from nothing. */
public final class WeightList implements WeightSource {

  /**
   * A weight as a part asks for it.
   *
   * @param typical where its values lie, or null if it is a matrix
   */
  record Wanted(Key key, int rows, int cols, Typical typical) {

    boolean vector() {
      return rows == 1 && typical != null;
    }
  }

  private final Map<Key, Wanted> wanted = new LinkedHashMap<>();

  /** A list without weights yet. */
  public WeightList() {}

  List<Wanted> wanted() {
    return List.copyOf(wanted.values());
  }

  /**
   * The tensors that hold these weights under a family's names.
   *
   * @throws WeightException if the table has no name for a weight
   */
  public Set<String> stored(WeightNames names) {
    Set<String> stored = new LinkedHashSet<>();
    for (Key key : wanted.keySet()) {
      stored.addAll(StoredLayout.likeliest(key, key.expert(), names).names());
    }
    return stored;
  }

  @Override
  public StoredRows find(Key key, int rows, int cols, Typical typical) {
    wanted.putIfAbsent(key, new Wanted(key, rows, cols, typical));
    MemorySegment row = Arena.ofAuto().allocate(4L * cols, 64);
    float[] values = new float[cols];
    Arrays.fill(values, typical == null ? 0 : (float) typical.at(0));
    WeightFormat.F32.codec().encode(values, 0, row, 0, cols);
    return new StoredRows(key.toString(), WeightFormat.F32, cols, Collections.nCopies(rows, row));
  }

  @Override
  public List<String> unread() {
    return List.of();
  }
}
