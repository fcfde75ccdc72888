package dev.apus.kernels.matmul;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteOrder;

/**
 * Panels of columns whose values are whole steps from a base. Each column has its own step and
 * base, in front of it.
 */
abstract class AffinePanels implements ColumnPanels {

  private static final int L = Lanes.F32.length();
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int STRIDE = Tiles.STRIDE;

  /** Bytes of a step and a base. */
  static final int HEAD = 4;

  static final ValueLayout.OfInt INT =
      ValueLayout.JAVA_INT_UNALIGNED.withOrder(ByteOrder.LITTLE_ENDIAN);

  /** Whether a tile's third and fourth vectors are those of the far panel. */
  static final boolean WIDE = STRIDE > ROWS;

  /** Vectors of rows that one load of bytes fills. */
  static final int PARTS = Lanes.BYTES.length() / L;

  private final int columnBytes;

  AffinePanels(int columnBytes) {
    this.columnBytes = columnBytes;
  }

  /** Decodes {@code width} columns of one panel from the byte {@code at} on. */
  abstract void panel(MemorySegment packed, long at, int width, float[] scratch, int weightsAt);

  /**
   * Four vectors of rows by one token.
   *
   * @param near the first column of the panel of the first two
   * @param far of the last two
   * @param row the first of the rows
   */
  abstract void tile(
      MemorySegment packed,
      long near,
      long far,
      int row,
      int cols,
      float[] x,
      int xAt,
      float[] scratch,
      int sumsAt);

  /**
   * Two neighbouring vectors of rows by four tokens, with their inputs and sums at these places.
   */
  abstract void four(
      MemorySegment packed,
      long panelAt,
      int row,
      int width,
      float[] x,
      int x0,
      int x1,
      int x2,
      int x3,
      float[] scratch,
      int s0,
      int s1,
      int s2,
      int s3);

  /** Which of the vectors that a load fills these rows are. */
  static int part(int row) {
    return row / L % PARTS;
  }

  static float step(int head) {
    return Float.intBitsToFloat(head << 16);
  }

  static float base(int head) {
    return Float.intBitsToFloat(head & 0xffff0000);
  }

  @Override
  public final long columnAt(int col) {
    return (long) col * columnBytes;
  }

  @Override
  public final void decodeColumns(
      MemorySegment packed, long nearAt, long farAt, int width, float[] scratch, int weightsAt) {
    panel(packed, nearAt, width, scratch, weightsAt);
    if (farAt != nearAt) {
      panel(packed, farAt, width, scratch, weightsAt + ROWS);
    }
  }

  @Override
  public final void extend(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int cols,
      float[] x,
      int xAt,
      float[] scratch,
      int sumsAt) {
    long far = WIDE ? farAt : nearAt;
    for (int row = 0; row < STRIDE; row += Tiles.ROWS) {
      tile(packed, nearAt, far, row, cols, x, xAt, scratch, sumsAt + row);
    }
  }

  @Override
  public final void extendFour(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int width,
      float[] x,
      int xAt,
      int xStride,
      int last,
      float[] scratch,
      int sumsAt) {
    int rows = farAt == nearAt ? ROWS : STRIDE;
    for (int row = 0; row < rows; row += 2 * L) {
      four(
          packed,
          row < ROWS ? nearAt : farAt,
          row % ROWS,
          width,
          x,
          xAt,
          xAt + xStride,
          xAt + 2 * xStride,
          xAt + last * xStride,
          scratch,
          sumsAt + row,
          sumsAt + row + STRIDE,
          sumsAt + row + 2 * STRIDE,
          sumsAt + row + last * STRIDE);
    }
  }
}
