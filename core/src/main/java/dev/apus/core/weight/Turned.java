package dev.apus.core.weight;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.List;

/**
 * The columns of each group of {@code groupRows} rows as rows, which are made when they are asked
 * for. Values of single-value formats are moved as they are, others are decoded.
 */
record Turned(StoredRows all, int groupRows) {

  private WeightFormat format() {
    return all.format().blockLength() > 1 ? WeightFormat.F32 : all.format();
  }

  StoredRows rows() {
    int count = Math.multiplyExact(all.rows().size() / groupRows, all.cols());
    long rowBytes = format().rowBytes(groupRows);
    return new StoredRows(
        all.source(), format(), groupRows, new MadeRows(count, rowBytes, this::write));
  }

  /** Columns of one group after the other. */
  private void write(int from, int count, MemorySegment to) {
    int cols = all.cols();
    long rowBytes = format().rowBytes(groupRows);
    for (int done = 0; done < count; ) {
      int col = (from + done) % cols;
      int some = Math.min(count - done, cols - col);
      List<MemorySegment> group =
          all.rows().subList((from + done) / cols * groupRows, all.rows().size());
      MemorySegment part = to.asSlice(done * rowBytes, some * rowBytes);
      if (all.format().blockLength() > 1) {
        decode(group, col, some, part);
      } else if (all.format().blockBytes() == Short.BYTES) {
        moveShorts(group, col, some, part);
      } else {
        moveInts(group, col, some, part);
      }
      done += some;
    }
  }

  private void moveShorts(List<MemorySegment> group, int col, int count, MemorySegment to) {
    for (int row = 0; row < groupRows; row++) {
      MemorySegment values = group.get(row);
      for (int i = 0; i < count; i++) {
        short bits = values.getAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, col + i);
        to.setAtIndex(ValueLayout.JAVA_SHORT_UNALIGNED, (long) i * groupRows + row, bits);
      }
    }
  }

  private void moveInts(List<MemorySegment> group, int col, int count, MemorySegment to) {
    for (int row = 0; row < groupRows; row++) {
      MemorySegment values = group.get(row);
      for (int i = 0; i < count; i++) {
        int bits = values.getAtIndex(ValueLayout.JAVA_INT_UNALIGNED, col + i);
        to.setAtIndex(ValueLayout.JAVA_INT_UNALIGNED, (long) i * groupRows + row, bits);
      }
    }
  }

  /** Decodes the blocks that hold the columns. */
  private void decode(List<MemorySegment> group, int col, int count, MemorySegment to) {
    int length = all.format().blockLength();
    int first = col / length;
    int blocks = (col + count - 1) / length - first + 1;
    float[] values = new float[blocks * length];
    for (int row = 0; row < groupRows; row++) {
      long at = (long) first * all.format().blockBytes();
      all.format().codec().decode(group.get(row), at, values, 0, values.length);
      for (int i = 0; i < count; i++) {
        float value = values[col - first * length + i];
        to.setAtIndex(ValueLayout.JAVA_FLOAT_UNALIGNED, (long) i * groupRows + row, value);
      }
    }
  }
}
