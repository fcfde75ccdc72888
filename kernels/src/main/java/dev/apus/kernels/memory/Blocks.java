package dev.apus.kernels.memory;

import dev.apus.kernels.memory.MatrixMemory.Shape;

/**
 * How a memory lies in its bytes: blocks of {@value #COLUMNS} columns one after another, the last
 * one perhaps narrower, each key by key. A block of 128 keys takes 16 KiB in one piece, so that it
 * stays in L1 while many tokens pass; rows of a whole memory would be as far apart as the cache
 * lines that displace one another.
 */
final class Blocks {

  static final int COLUMNS = 32;

  private Blocks() {}

  /** Columns of the block in which column {@code j} is. */
  static int width(Shape shape, int j) {
    return Math.min(COLUMNS, shape.valueDim() - first(j));
  }

  /** Bytes from one key to the next in the block in which column {@code j} is. */
  static long rowBytes(Shape shape, int j) {
    return 4L * width(shape, j);
  }

  /** The byte of key {@code i} and column {@code j}, from the memory's first. */
  static long at(Shape shape, int i, int j) {
    return 4L * first(j) * shape.keyDim() + i * rowBytes(shape, j) + 4L * (j - first(j));
  }

  private static int first(int j) {
    return j - j % COLUMNS;
  }
}
