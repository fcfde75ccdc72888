package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * {@link Matmul} with the Vector API: some columns of a few panels at a time extend every output's
 * chain, straight from the packed bytes for one token, by way of decoded weights for more.
 *
 * <p>Lanes are output rows. Where a vector holds half a panel, two panels go together, so that
 * there are always enough independent chains to hide the latency of fma; they lie far apart, so
 * that memory sees two long streams.
 */
final class VectorMatmul implements Matmul {

  /** Tokens whose sums stay in the second-level cache. */
  private static final int TOKENS = 512;

  private static final int STRIDE = Tiles.STRIDE;
  private static final int PANELS = STRIDE / PANEL_ROWS;
  private static final int COLUMNS = PanelDecoder.COLUMNS;
  private static final int SUMS_AT = PanelDecoder.FLOATS;

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
  public void unpack(
      MemorySegment packed, long packedAt, int cols, int fromRow, int rows, MemorySegment stored) {
    decoder.layout().unpack(packed, packedAt, cols, fromRow, rows, stored);
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
    long panelBytes = panelBytes(cols);
    int apart = Math.ceilDiv(toPanel - fromPanel, PANELS);
    for (int first = 0; first < tokens; first += TOKENS) {
      int count = Math.min(TOKENS, tokens - first);
      int xFrom = xAt + first * xStride;
      int yFrom = yAt + first * yStride;
      for (int near = fromPanel; near < fromPanel + apart; near++) {
        int far = near + apart < toPanel ? near + apart : near;
        Arrays.fill(scratch, SUMS_AT, SUMS_AT + count * STRIDE, 0);
        sum(packed, near * panelBytes, far * panelBytes, cols, x, xFrom, xStride, count, scratch);
        copy(scratch, SUMS_AT, near * PANEL_ROWS, rows, y, yFrom, yStride, count);
        if (far != near) {
          copy(scratch, SUMS_AT + PANEL_ROWS, far * PANEL_ROWS, rows, y, yFrom, yStride, count);
        }
      }
    }
  }

  private void sum(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int cols,
      float[] x,
      int xAt,
      int xStride,
      int tokens,
      float[] scratch) {
    if (tokens == 1) {
      decoder.extend(packed, nearAt, farAt, cols, x, xAt, scratch, SUMS_AT);
      return;
    }
    for (int from = 0; from < cols; from += COLUMNS) {
      int width = Math.min(COLUMNS, cols - from);
      decoder.decode(packed, nearAt, farAt, from, width, scratch);
      Tiles.extend(scratch, SUMS_AT, width, x, xAt + from, xStride, tokens);
    }
  }

  static void copy(
      float[] scratch, int at, int row, int rows, float[] y, int yAt, int yStride, int tokens) {
    int count = Math.min(PANEL_ROWS, rows - row);
    for (int t = 0; t < tokens; t++) {
      System.arraycopy(scratch, at + t * STRIDE, y, yAt + t * yStride + row, count);
    }
  }
}
