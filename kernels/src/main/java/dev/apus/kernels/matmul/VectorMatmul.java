package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/**
 * {@link Matmul} with the Vector API: some columns of a few panels at a time extend every output's
 * chain, straight from the packed bytes for one token, and in plain formats for a few, by way of
 * decoded weights for more.
 *
 * <p>Lanes are output rows. Where a vector holds half a panel, two panels make a strip, so that
 * there are always enough independent chains to hide the latency of fma. For few tokens they lie
 * far apart, so that memory sees two long streams. For more they are neighbours, and a few strips
 * share what they read of the inputs and write long pieces of the outputs.
 */
final class VectorMatmul implements Matmul {

  /** Tokens whose sums stay in the second-level cache. */
  private static final int TOKENS = 512;

  /** Columns whose decoded weights stay in the second-level cache. */
  private static final int COLUMNS = 2 * PanelDecoder.COLUMNS;

  /** Strips worked on together. */
  private static final int STRIPS = 2;

  private static final int STRIDE = Tiles.STRIDE;
  private static final int PANELS = STRIDE / PANEL_ROWS;
  private static final int WEIGHTS_AT = PanelDecoder.WEIGHTS_AT;

  /** Decoded weights of a strip. */
  private static final int WEIGHTS = COLUMNS * STRIDE;

  private static final int SUMS_AT = WEIGHTS_AT + STRIPS * WEIGHTS;

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
    return SUMS_AT + STRIPS * Math.min(tokens, TOKENS) * STRIDE;
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
    for (int first = 0; first < tokens; first += TOKENS) {
      int count = Math.min(TOKENS, tokens - first);
      int xFrom = xAt + first * xStride;
      int yFrom = yAt + first * yStride;
      if (count <= decoder.straight()) {
        few(
            packed, rows, cols, fromPanel, toPanel, x, xFrom, xStride, count, y, yFrom, yStride,
            scratch);
        continue;
      }
      for (int panel = fromPanel; panel < toPanel; panel += STRIPS * PANELS) {
        int panels = Math.min(STRIPS * PANELS, toPanel - panel);
        sum(packed, cols, panel, panels, x, xFrom, xStride, count, scratch);
        int row = panel * PANEL_ROWS;
        int some = Math.min(panels * PANEL_ROWS, rows - row);
        copyStrips(scratch, some, y, yFrom + row, yStride, count);
      }
    }
  }

  /** Straight from the packed bytes, of two panels that lie far apart. */
  private void few(
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
    for (int near = fromPanel; near < fromPanel + apart; near++) {
      int far = near + apart < toPanel ? near + apart : near;
      long nearAt = near * panelBytes;
      long farAt = far * panelBytes;
      Arrays.fill(scratch, SUMS_AT, SUMS_AT + tokens * STRIDE, 0);
      decoder.extendStraight(
          packed, nearAt, farAt, cols, x, xAt, xStride, tokens, scratch, SUMS_AT);
      copy(scratch, SUMS_AT, near * PANEL_ROWS, rows, y, yAt, yStride, tokens);
      if (far != near) {
        copy(scratch, SUMS_AT + PANEL_ROWS, far * PANEL_ROWS, rows, y, yAt, yStride, tokens);
      }
    }
  }

  /** The sums of some neighbouring panels: strip by strip, in each token by token. */
  private void sum(
      MemorySegment packed,
      int cols,
      int panel,
      int panels,
      float[] x,
      int xAt,
      int xStride,
      int tokens,
      float[] scratch) {
    int strips = Math.ceilDiv(panels, PANELS);
    Arrays.fill(scratch, SUMS_AT, SUMS_AT + strips * tokens * STRIDE, 0);
    for (int from = 0; from < cols; from += COLUMNS) {
      int width = Math.min(COLUMNS, cols - from);
      for (int strip = 0; strip < strips; strip++) {
        decode(packed, cols, panel, panels, strip, from, width, scratch);
      }
      for (int t = 0; t < tokens; t += Tiles.SIX) {
        int some = Math.min(Tiles.SIX, tokens - t);
        for (int strip = 0; strip < strips; strip++) {
          int sumsAt = SUMS_AT + (strip * tokens + t) * STRIDE;
          int weightsAt = WEIGHTS_AT + strip * WEIGHTS;
          Tiles.extend(
              scratch, weightsAt, sumsAt, width, x, xAt + t * xStride + from, xStride, some);
        }
      }
    }
  }

  private void decode(
      MemorySegment packed,
      int cols,
      int panel,
      int panels,
      int strip,
      int from,
      int width,
      float[] scratch) {
    int near = strip * PANELS;
    int far = Math.min(near + PANELS, panels) - 1;
    long nearAt = (panel + near) * panelBytes(cols);
    long farAt = (panel + far) * panelBytes(cols);
    for (int done = 0; done < width; done += PanelDecoder.COLUMNS) {
      decoder.decode(
          packed,
          nearAt,
          farAt,
          from + done,
          Math.min(PanelDecoder.COLUMNS, width - done),
          scratch,
          WEIGHTS_AT + strip * WEIGHTS + done * STRIDE);
    }
  }

  /** Token by token, so that the rows of all strips are one piece of the outputs. */
  private static void copyStrips(
      float[] scratch, int rows, float[] y, int yAt, int yStride, int tokens) {
    for (int t = 0; t < tokens; t++) {
      for (int done = 0; done < rows; done += STRIDE) {
        int from = SUMS_AT + (done / STRIDE * tokens + t) * STRIDE;
        int to = yAt + t * yStride + done;
        System.arraycopy(scratch, from, y, to, Math.min(STRIDE, rows - done));
      }
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
