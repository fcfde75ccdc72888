package dev.apus.kernels.matmul;

import java.lang.foreign.MemorySegment;

/**
 * Reads the packed panels of one format with the Vector API; the part of a matmul that differs.
 *
 * <p>It works on {@link Tiles#STRIDE} rows at a time, which are those of a near panel and, where
 * vectors are wide, of a far one. If no panel is left for far, it is the near one again, and what
 * becomes of its rows does not matter.
 *
 * <p>Loops that stream weights from memory count bytes in a {@code long}: C2 unrolls loops over an
 * {@code int} until each load of the body strides far, where processors no longer recognise the
 * stream and fetch a third as fast.
 */
abstract class PanelDecoder {

  /** The most columns that are decoded at a time. */
  static final int COLUMNS = 128;

  /**
   * Floats from the start of the scratch that a decoder may use for itself. A number of this class,
   * because a superclass that asks its subclass for one may get a zero.
   */
  static final int OWN_FLOATS = 2 * Matmul.PANEL_ROWS + 24 * Tiles.STRIDE;

  /** Decoded weights follow. */
  static final int WEIGHTS_AT = OWN_FLOATS;

  /** Floats of a scratch up to where {@link #COLUMNS} columns of weights end. */
  static final int FLOATS = WEIGHTS_AT + COLUMNS * Tiles.STRIDE;

  private final PanelLayout layout;

  PanelDecoder(PanelLayout layout) {
    this.layout = layout;
  }

  final PanelLayout layout() {
    return layout;
  }

  /**
   * Decodes columns {@code [from, from + width)}, exactly as the format's codec does.
   *
   * @param from a multiple of {@link #COLUMNS}
   * @param width at most {@link #COLUMNS}
   * @param weightsAt where the weights go: column {@code from + k} of row r to {@code weightsAt + k
   *     · STRIDE + r}
   */
  abstract void decode(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int from,
      int width,
      float[] scratch,
      int weightsAt);

  /** The most tokens that {@link #extendStraight} takes. */
  int straight() {
    return 1;
  }

  /** Extends the sums of so few tokens by all columns; where it is one, as {@code extend} does. */
  void extendStraight(
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
    extend(packed, nearAt, farAt, cols, x, xAt, scratch, sumsAt);
  }

  /**
   * Extends the sums of one token by all columns; overridden where there is a shorter way than
   * through decoded weights.
   *
   * @param sumsAt of row 0's sum in {@code scratch}
   */
  void extend(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int cols,
      float[] x,
      int xAt,
      float[] scratch,
      int sumsAt) {
    for (int from = 0; from < cols; from += COLUMNS) {
      int width = Math.min(COLUMNS, cols - from);
      decode(packed, nearAt, farAt, from, width, scratch, WEIGHTS_AT);
      Tiles.extend(scratch, WEIGHTS_AT, sumsAt, width, x, xAt + from, 0, 1);
    }
  }

  /** Where a row of a near panel or, behind it, of a far one has its first value of a column. */
  static long rowAt(long nearAt, long farAt, int row, int valueBytes) {
    return (row < Matmul.PANEL_ROWS ? nearAt : farAt)
        + (long) valueBytes * (row % Matmul.PANEL_ROWS);
  }
}
