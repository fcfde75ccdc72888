package dev.apus.core.weight;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.AbstractList;
import java.util.List;
import java.util.Objects;
import java.util.RandomAccess;
import java.util.function.IntUnaryOperator;

/**
 * Rows that a conversion makes of a file's whenever they are asked for. Nobody keeps them, so that
 * weights which come and go take no memory while they are gone.
 */
final class MadeRows extends AbstractList<MemorySegment> implements RandomAccess {

  /** Rows that are so far apart are made one by one, others with all between them. */
  private static final int DENSE = 4;

  /** Makes rows {@code [from, from + count)}, one after the other. */
  @FunctionalInterface
  interface Maker {
    void write(int from, int count, MemorySegment to);
  }

  private final int count;
  private final long rowBytes;
  private final Maker maker;

  MadeRows(int count, long rowBytes, Maker maker) {
    this.count = count;
    this.rowBytes = rowBytes;
    this.maker = maker;
  }

  /**
   * Rows as they are, or made in memory of an arena.
   *
   * @param from the first; {@code to} is behind the last
   */
  static MemorySegment[] rows(List<MemorySegment> rows, int from, int to, Arena arena) {
    if (!(rows instanceof MadeRows made)) {
      return rows.subList(from, to).toArray(MemorySegment[]::new);
    }
    MemorySegment memory = arena.allocate(Math.max(1, (to - from) * made.rowBytes), 64);
    made.maker.write(from, to - from, memory);
    MemorySegment[] cut = new MemorySegment[to - from];
    for (int i = 0; i < cut.length; i++) {
      cut[i] = memory.asSlice(i * made.rowBytes, made.rowBytes);
    }
    return cut;
  }

  /** Some of these rows. */
  MadeRows gathered(int count, IntUnaryOperator from) {
    return new MadeRows(count, rowBytes, (row, n, to) -> gather(from, row, n, to));
  }

  private void gather(IntUnaryOperator from, int row, int n, MemorySegment to) {
    int least = Integer.MAX_VALUE;
    int most = 0;
    for (int i = row; i < row + n; i++) {
      least = Math.min(least, from.applyAsInt(i));
      most = Math.max(most, from.applyAsInt(i));
    }
    if (n == 0 || most - least >= DENSE * n) {
      for (int i = 0; i < n; i++) {
        maker.write(from.applyAsInt(row + i), 1, to.asSlice(i * rowBytes, rowBytes));
      }
      return;
    }
    try (Arena arena = Arena.ofConfined()) {
      MemorySegment all = arena.allocate((most - least + 1) * rowBytes, 64);
      maker.write(least, most - least + 1, all);
      for (int i = 0; i < n; i++) {
        long at = (from.applyAsInt(row + i) - least) * rowBytes;
        MemorySegment.copy(all, at, to, i * rowBytes, rowBytes);
      }
    }
  }

  @Override
  public MemorySegment get(int row) {
    MemorySegment made = Arena.ofAuto().allocate(rowBytes, 64);
    maker.write(Objects.checkIndex(row, count), 1, made);
    return made;
  }

  @Override
  public List<MemorySegment> subList(int from, int to) {
    Objects.checkFromToIndex(from, to, count);
    return new MadeRows(
        to - from, rowBytes, (row, n, memory) -> maker.write(from + row, n, memory));
  }

  @Override
  public int size() {
    return count;
  }
}
