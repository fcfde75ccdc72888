package dev.apus.core.weight;

import dev.apus.core.file.StoredTensor;
import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.function.Function;

/**
 * Some rows of a matrix of MXFP4 blocks whose halves lie in two tensors: one with sixteen bytes for
 * each block, in which value {@code 2i} has the low four bits of byte i and value {@code 2i + 1}
 * the high ones, and one with each block's exponent. A row stays in its format.
 *
 * @param from the first row, counted over all matrices in the tensors
 * @param step how far apart the rows are
 */
record PackedMxfp4(int from, int count, int step) implements Conversion {

  private static final int PAIRS = 16;
  private static final ValueLayout.OfByte BYTE = ValueLayout.JAVA_BYTE;

  @Override
  public StoredRows apply(List<StoredRows> stored) {
    throw new IllegalStateException("blocks and exponents are no rows of values");
  }

  @Override
  public StoredRows read(List<StoredTensor> tensors, Function<StoredTensor, StoredRows> open) {
    StoredTensor blocks = tensors.getFirst();
    StoredTensor exponents = tensors.getLast();
    long perRow = exponents.shape().isEmpty() ? 0 : exponents.shape().getLast();
    List<Long> needed = new ArrayList<>(exponents.shape());
    needed.add((long) PAIRS);
    if (perRow == 0
        || !blocks.type().equals("U8")
        || !exponents.type().equals("U8")
        || !blocks.shape().equals(needed)) {
      throw new WeightException(
          String.format(
              Locale.ROOT,
              "%s: %s is %s%s and %s is %s%s; MXFP4 needs U8[…, n, %d] and U8[…, n]",
              blocks.file(),
              blocks.name(),
              blocks.type(),
              blocks.shape(),
              exponents.name(),
              exponents.type(),
              exponents.shape(),
              PAIRS));
    }
    long rows = exponents.elements() / perRow;
    if (from + (count - 1L) * step >= rows) {
      throw new WeightException(
          blocks.file()
              + ": "
              + blocks.name()
              + " has "
              + rows
              + " rows, row "
              + (from + (count - 1L) * step)
              + " is needed");
    }
    return rows(blocks, exponents, Math.toIntExact(perRow));
  }

  private StoredRows rows(StoredTensor blocks, StoredTensor exponents, int perRow) {
    int cols = Math.multiplyExact(perRow, WeightFormat.MXFP4.blockLength());
    long rowBytes = WeightFormat.MXFP4.rowBytes(cols);
    String source = blocks.file() + ": tensor " + blocks.name();
    MadeRows rows =
        new MadeRows(
            count,
            rowBytes,
            (first, n, to) -> {
              for (int row = 0; row < n; row++) {
                long block = (from + (long) (first + row) * step) * perRow;
                write(blocks.data(), exponents.data(), block, perRow, to, row * rowBytes);
              }
            });
    return new StoredRows(source, WeightFormat.MXFP4, cols, rows);
  }

  private static void write(
      MemorySegment blocks,
      MemorySegment exponents,
      long first,
      int count,
      MemorySegment to,
      long at) {
    byte[] pairs = new byte[PAIRS];
    byte[] block = new byte[WeightFormat.MXFP4.blockBytes()];
    for (int i = 0; i < count; i++) {
      block[0] = exponents.get(BYTE, first + i);
      MemorySegment.copy(blocks, BYTE, (first + i) * PAIRS, pairs, 0, PAIRS);
      halve(pairs, block);
      MemorySegment.copy(block, 0, to, BYTE, at + (long) i * block.length, block.length);
    }
  }

  /** Puts value i beside value i + 16 instead of its neighbour. */
  private static void halve(byte[] pairs, byte[] block) {
    for (int i = 0; i < PAIRS / 2; i++) {
      int first = pairs[i];
      int second = pairs[i + PAIRS / 2];
      block[1 + 2 * i] = (byte) (first & 15 | (second & 15) << 4);
      block[2 + 2 * i] = (byte) (first >> 4 & 15 | second & 0xF0);
    }
  }
}
