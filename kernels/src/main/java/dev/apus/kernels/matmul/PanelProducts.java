package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;

/**
 * Products of panels with rows of inputs, of which kernels besides {@link Matmul} are made:
 *
 * <pre>
 *   sums[t][n] ← fma(w[n][k], x[t][k], sums[t][n])          k = from, from + 1, …
 * </pre>
 *
 * <p>A panel is column after column, each the values of {@link Matmul#PANEL_ROWS} neighbouring
 * rows. {@link #STRIDE} rows are worked on together: those of a near panel and, where vectors are
 * wide, of a far one. Public for the packages of this module only.
 */
public final class PanelProducts {

  /** Rows worked on together; the sums of a token are as many apart from those of the next. */
  public static final int STRIDE = Tiles.STRIDE;

  /** Panels worked on together. */
  public static final int PANELS = STRIDE / Matmul.PANEL_ROWS;

  /** Floats at the start of the scratch that are used here; sums lie behind them. */
  public static final int FLOATS = PanelDecoder.FLOATS;

  private final ColumnPanels panels;

  private PanelProducts(ColumnPanels panels) {
    this.panels = panels;
  }

  /**
   * The products of a format.
   *
   * @throws IllegalArgumentException if the format is neither F32 nor BF16
   */
  public static PanelProducts of(WeightFormat format) {
    return new PanelProducts(
        switch (format) {
          case F32 -> new F32Panels();
          case BF16 -> new Bf16Panels();
          default -> throw new IllegalArgumentException("no products of " + format + " panels");
        });
  }

  /**
   * The products of columns of whole steps from a base, {@code step · n + base}: in each four bytes
   * with the step and the base, as BF16, and the signed bytes n or the nibbles n of all rows, those
   * of the first half in the lower ones.
   *
   * @param bits of an n, 8 or 4
   */
  public static PanelProducts ofColumns(int bits) {
    return new PanelProducts(bits == 8 ? new AffineBytes() : new AffineNibbles());
  }

  /**
   * Extends the sums of some tokens by columns {@code [from, from + width)}.
   *
   * @param farAt where the far panel begins; {@code nearAt} if there is none, and what becomes of
   *     its sums does not matter
   * @param x token {@code t}'s input for column {@code from} is at {@code xAt + t · xStride}; may
   *     be the scratch
   * @param sumsAt of the first token's sums in {@code scratch}
   */
  public void extend(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int from,
      int width,
      float[] x,
      int xAt,
      int xStride,
      int tokens,
      float[] scratch,
      int sumsAt) {
    if (tokens > ColumnPanels.FEW) {
      for (int done = 0; done < width; done += PanelDecoder.COLUMNS) {
        int columns = Math.min(PanelDecoder.COLUMNS, width - done);
        long at = panels.columnAt(from + done);
        panels.decodeColumns(
            packed, nearAt + at, farAt + at, columns, scratch, PanelDecoder.WEIGHTS_AT);
        Tiles.extend(
            scratch, PanelDecoder.WEIGHTS_AT, sumsAt, columns, x, xAt + done, xStride, tokens);
      }
      return;
    }
    long at = panels.columnAt(from);
    panels.extendFew(
        packed, nearAt + at, farAt + at, width, x, xAt, xStride, tokens, scratch, sumsAt);
  }
}
