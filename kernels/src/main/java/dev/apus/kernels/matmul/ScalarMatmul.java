package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * The definition of {@link Matmul} for every format: the codec decodes a block of a panel, and
 * plain loops extend each output's chain by the block's columns.
 *
 * <p>A panel is its rows as stored, one after the other.
 */
final class ScalarMatmul implements Matmul {

  /** Columns decoded at a time; a multiple of every block length. */
  private static final int COLUMNS = 256;

  private static final int DECODED = COLUMNS * PANEL_ROWS;

  private final WeightFormat format;

  ScalarMatmul(WeightFormat format) {
    this.format = format;
  }

  @Override
  public WeightFormat format() {
    return format;
  }

  @Override
  public long panelBytes(int cols) {
    return PanelLayout.panelBytes(format, cols);
  }

  @Override
  public void pack(MemorySegment[] rows, int cols, MemorySegment packed, long packedAt) {
    long rowBytes = format.rowBytes(cols);
    packed.asSlice(packedAt, panelBytes(cols)).fill((byte) 0);
    for (int row = 0; row < rows.length; row++) {
      MemorySegment.copy(rows[row], 0, packed, packedAt + row * rowBytes, rowBytes);
    }
  }

  @Override
  public void unpack(
      MemorySegment packed, long packedAt, int cols, int fromRow, int rows, MemorySegment stored) {
    long rowBytes = format.rowBytes(cols);
    MemorySegment.copy(packed, packedAt + fromRow * rowBytes, stored, 0, rows * rowBytes);
  }

  /** A row's block as decoded, the panel's block with a column's rows side by side, the outputs. */
  @Override
  public int scratchFloats(int cols, int tokens) {
    return Math.addExact(COLUMNS + DECODED, Math.multiplyExact(PANEL_ROWS, tokens));
  }

  @Override
  public void multiply(
      MemorySegment packed,
      int rows,
      int cols,
      int fromPanel,
      int toPanel,
      float[] x,
      int xAt,
      int xStride,
      int tokens,
      float[] y,
      int yAt,
      int yStride,
      float[] scratch) {
    int sumsAt = COLUMNS + DECODED;
    for (int panel = fromPanel; panel < toPanel; panel++) {
      int firstRow = panel * PANEL_ROWS;
      int count = Math.min(PANEL_ROWS, rows - firstRow);
      Arrays.fill(scratch, sumsAt, sumsAt + tokens * PANEL_ROWS, 0);
      for (int from = 0; from < cols; from += COLUMNS) {
        int width = Math.min(COLUMNS, cols - from);
        decode(packed, panel * panelBytes(cols), cols, from, width, scratch);
        for (int t = 0; t < tokens; t++) {
          extend(scratch, sumsAt + t * PANEL_ROWS, x, xAt + t * xStride + from, width);
        }
      }
      for (int t = 0; t < tokens; t++) {
        System.arraycopy(scratch, sumsAt + t * PANEL_ROWS, y, yAt + t * yStride + firstRow, count);
      }
    }
  }

  private void decode(
      MemorySegment packed, long panelAt, int cols, int from, int width, float[] scratch) {
    for (int row = 0; row < PANEL_ROWS; row++) {
      long at = panelAt + row * format.rowBytes(cols) + format.rowBytes(from);
      format.codec().decode(packed, at, scratch, 0, width);
      for (int k = 0; k < width; k++) {
        scratch[COLUMNS + k * PANEL_ROWS + row] = scratch[k];
      }
    }
  }

  private static void extend(float[] scratch, int sumsAt, float[] x, int xAt, int width) {
    for (int k = 0; k < width; k++) {
      float input = x[xAt + k];
      int weightsAt = COLUMNS + k * PANEL_ROWS;
      for (int row = 0; row < PANEL_ROWS; row++) {
        scratch[sumsAt + row] = Math.fma(scratch[weightsAt + row], input, scratch[sumsAt + row]);
      }
    }
  }
}
