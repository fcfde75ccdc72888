package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;

/**
 * Panels of a format without blocks, whose values become floats in a step or two: a column is one
 * value for each row, and the sums of a few tokens, too, are extended straight from the packed
 * bytes.
 */
abstract class StreamedPanels extends PanelDecoder implements ColumnPanels {

  private static final int L = Lanes.F32.length();
  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int STRIDE = Tiles.STRIDE;

  /** Columns that a few tokens meet one after the other. */
  private static final int COLUMNS_AT_ONCE = 2 * COLUMNS;

  private final int valueBytes;
  private final int straight;

  /**
   * @param straight the most tokens for which reading values again is faster than to decode them
   *     once for all
   */
  StreamedPanels(WeightFormat format, int straight) {
    super(PanelLayout.of(format, new PanelLayout.Units(0, format.blockBytes(), 1)));
    this.valueBytes = format.blockBytes();
    this.straight = straight;
  }

  /** Decodes {@code width} columns of one panel from the byte {@code at} on. */
  abstract void panel(MemorySegment packed, long at, int width, float[] scratch, int weightsAt);

  /** Four vectors of rows, which begin at these bytes, by one token. */
  abstract void tile(
      MemorySegment packed,
      long a,
      long b,
      long c,
      long d,
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
      long rowAt,
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

  @Override
  final void decode(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int from,
      int width,
      float[] scratch,
      int weightsAt) {
    long offset = columnAt(from);
    decodeColumns(packed, nearAt + offset, farAt + offset, width, scratch, weightsAt);
  }

  @Override
  public final long columnAt(int col) {
    return layout().blockAt(col);
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
    for (int row = 0; row < STRIDE; row += Tiles.ROWS) {
      tile(
          packed,
          rowAt(nearAt, farAt, row, valueBytes),
          rowAt(nearAt, farAt, row + L, valueBytes),
          rowAt(nearAt, farAt, row + 2 * L, valueBytes),
          rowAt(nearAt, farAt, row + 3 * L, valueBytes),
          cols,
          x,
          xAt,
          scratch,
          sumsAt + row);
    }
  }

  @Override
  final int straight() {
    return straight;
  }

  @Override
  final void extendStraight(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int cols,
      float[] x,
      int xAt,
      int xStride,
      int tokens,
      float[] scratch,
      int sumsAt) {
    // One token sees its weights as one stream; some meet inputs that stay in the cache.
    int block = tokens == 1 ? cols : COLUMNS_AT_ONCE;
    for (int from = 0; from < cols; from += block) {
      int width = Math.min(block, cols - from);
      long at = columnAt(from);
      int xFrom = xAt + from;
      extendFew(packed, nearAt + at, farAt + at, width, x, xFrom, xStride, tokens, scratch, sumsAt);
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
          rowAt(nearAt, farAt, row, valueBytes),
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
