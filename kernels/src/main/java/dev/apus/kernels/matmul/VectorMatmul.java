package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * {@link Matmul} with the Vector API: decodes some columns of a few panels, extends every output's
 * chain by these columns, and goes on to the next.
 *
 * <p>Lanes are output rows. Where a vector holds half a panel, two panels go together, so that
 * there are always enough independent chains to hide the latency of fma; they lie far apart, so
 * that memory sees two long streams.
 */
final class VectorMatmul implements Matmul {

  /** Columns decoded at a time: their weights stay in the first-level cache. */
  static final int COLUMNS = 128;

  /** Panels decoded side by side. */
  static final int PANELS = Math.ceilDiv(Tiles.ROWS, PANEL_ROWS);

  /** Decoded columns are this far apart. */
  static final int STRIDE = PANELS * PANEL_ROWS;

  /** Tokens whose sums stay in the second-level cache. */
  private static final int TOKENS = 512;

  private static final int SUMS_AT = PanelDecoder.OWN_FLOATS + COLUMNS * STRIDE;

  private final PanelDecoder decoder;

  VectorMatmul(PanelDecoder decoder) {
    this.decoder = decoder;
  }

  @Override
  public WeightFormat format() {
    return decoder.layout().format();
  }

  @Override
  public long panelBytes(int cols) {
    return PanelLayout.panelBytes(format(), cols);
  }

  @Override
  public void pack(MemorySegment[] rows, int cols, MemorySegment packed, long packedAt) {
    decoder.layout().pack(rows, cols, packed, packedAt);
  }

  @Override
  public int scratchFloats(int cols, int tokens) {
    return SUMS_AT + Math.min(tokens, TOKENS) * STRIDE;
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
    int apart = Math.ceilDiv(toPanel - fromPanel, PANELS);
    for (int first = 0; first < tokens; first += TOKENS) {
      int count = Math.min(TOKENS, tokens - first);
      int xFrom = xAt + first * xStride;
      int yFrom = yAt + first * yStride;
      for (int near = fromPanel; near < fromPanel + apart; near++) {
        Arrays.fill(scratch, SUMS_AT, SUMS_AT + count * STRIDE, 0);
        sum(packed, cols, near, apart, toPanel, x, xFrom, xStride, count, scratch);
        for (int i = 0, panel = near; panel < toPanel && i < PANELS; i++, panel += apart) {
          int rowsAt = panel * PANEL_ROWS;
          int width = Math.min(PANEL_ROWS, rows - rowsAt);
          for (int t = 0; t < count; t++) {
            int from = SUMS_AT + t * STRIDE + i * PANEL_ROWS;
            System.arraycopy(scratch, from, y, yFrom + t * yStride + rowsAt, width);
          }
        }
      }
    }
  }

  private void sum(
      MemorySegment packed,
      int cols,
      int near,
      int apart,
      int toPanel,
      float[] x,
      int xAt,
      int xStride,
      int tokens,
      float[] scratch) {
    long panelBytes = panelBytes(cols);
    for (int from = 0; from < cols; from += COLUMNS) {
      int width = Math.min(COLUMNS, cols - from);
      for (int i = 0, panel = near; panel < toPanel && i < PANELS; i++, panel += apart) {
        int weightsAt = PanelDecoder.OWN_FLOATS + i * PANEL_ROWS;
        decoder.decode(packed, panel * panelBytes, from, width, scratch, weightsAt);
      }
      Tiles.extend(scratch, SUMS_AT, width, x, xAt + from, xStride, tokens);
    }
  }
}
