package dev.apus.kernels.matmul;

import dev.apus.kernels.block.NibbleCodec;
import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Matmul} of {@link Products#INTEGER} with the Vector API: products of whole numbers of 16
 * bits, twice as many in a vector as of floats.
 *
 * <p>Lanes are output rows. The numbers of a span of 32 columns times nibbles from −8 to 7 add up
 * to at most 32 · 8 · 127, which 16 bits hold, so nothing is widened before the span's sum.
 */
final class VectorIntegerMatmul implements Matmul {

  /** Tokens that are rounded and summed together. */
  private static final int TOKENS = 256;

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final int L = F.length();
  private static final int STRIDE = Tiles.STRIDE;
  private static final int PANELS = STRIDE / PANEL_ROWS;
  private static final int HALF = IntegerTiles.HALF;
  private static final int PAIR = IntegerTiles.PAIR;
  private static final int ZERO_Q = NibbleCodec.ZERO;
  private static final int SPAN = RoundedInputs.SPAN;
  private static final int COLUMNS = PanelDecoder.COLUMNS;

  /** Tokens of the larger tiles. */
  private static final int EIGHT = 8;

  private static final int FEW = 4;

  /** Unpacked numbers of the columns, two vectors for each. */
  private static final int NUMBERS_AT = QuantPanels.OWN_FLOATS;

  /** Sums of a tile in whole numbers. */
  private static final int WHOLES_AT = NUMBERS_AT + COLUMNS * PAIR;

  private static final int SUMS_AT = WHOLES_AT + EIGHT * PAIR;

  private final NibblePanels grids;
  private final IntegerLayout layout;
  private final boolean lows;

  VectorIntegerMatmul(NibblePanels grids, IntegerLayout layout, boolean lows) {
    this.grids = grids;
    this.layout = layout;
    this.lows = lows;
  }

  @Override
  public WeightFormat format() {
    return layout.format();
  }

  @Override
  public long panelBytes(int cols) {
    return PanelLayout.panelBytes(format(), cols);
  }

  @Override
  public void pack(MemorySegment[] rows, int cols, MemorySegment packed, long packedAt) {
    layout.pack(rows, cols, packed, packedAt);
  }

  @Override
  public void unpack(
      MemorySegment packed, long packedAt, int cols, int fromRow, int rows, MemorySegment stored) {
    layout.unpack(packed, packedAt, cols, fromRow, rows, stored);
  }

  @Override
  public int scratchFloats(int cols, int tokens) {
    return SUMS_AT + Math.min(tokens, TOKENS) * (STRIDE + cols / SPAN * RoundedInputs.FLOATS);
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
      int inputsAt = SUMS_AT + count * STRIDE;
      for (int t = 0; t < count; t++) {
        int to = inputsAt + t * RoundedInputs.FLOATS;
        int stride = count * RoundedInputs.FLOATS;
        VectorRounding.round(x, xAt + (first + t) * xStride, cols, ZERO_Q, scratch, to, stride);
      }
      int yFrom = yAt + first * yStride;
      for (int near = fromPanel; near < fromPanel + apart; near++) {
        int far = near + apart < toPanel ? near + apart : near;
        Arrays.fill(scratch, SUMS_AT, inputsAt, 0);
        sum(packed, near * panelBytes, far * panelBytes, cols, count, scratch, inputsAt);
        VectorMatmul.copy(scratch, SUMS_AT, near * PANEL_ROWS, rows, y, yFrom, yStride, count);
        if (far != near) {
          VectorMatmul.copy(
              scratch, SUMS_AT + PANEL_ROWS, far * PANEL_ROWS, rows, y, yFrom, yStride, count);
        }
      }
    }
  }

  private void sum(
      MemorySegment packed,
      long nearAt,
      long farAt,
      int cols,
      int tokens,
      float[] scratch,
      int inputsAt) {
    // One token meets grids and nibbles as they come by, so that memory sees a stream.
    int unit = tokens == 1 ? grids.unit() : COLUMNS;
    int spanFloats = tokens * RoundedInputs.FLOATS;
    for (int from = 0; from < cols; from += unit) {
      int width = Math.min(unit, cols - from);
      grids.unpackSteps(packed, nearAt, farAt, from, width, scratch);
      if (lows) {
        raiseLows(scratch, width / SPAN);
      }
      int xAt = inputsAt + from / SPAN * spanFloats;
      for (int lane = 0; lane < PANELS * HALF; lane += PAIR) {
        long at = layout.nibblesAt(from) + 4L * (lane % HALF);
        long b = L < HALF ? nearAt + at + 4L * L : farAt + at;
        tiles(packed, nearAt + at, b, lane, width, tokens, scratch, xAt);
      }
    }
  }

  /** Lows are those of nibbles from 0 to 15, and become those of −8 to 7. */
  private static void raiseLows(float[] scratch, int spans) {
    for (int i = 0; i < spans * STRIDE; i += L) {
      FloatVector.fromArray(F, scratch, QuantPanels.STEPS_AT + i)
          .mul(ZERO_Q)
          .add(FloatVector.fromArray(F, scratch, QuantPanels.LOWS_AT + i))
          .intoArray(scratch, QuantPanels.LOWS_AT + i);
    }
  }

  /**
   * Extends the sums of two vectors' rows by some columns.
   *
   * @param row the first of vector a
   */
  private void tiles(
      MemorySegment packed,
      long aAt,
      long bAt,
      int row,
      int width,
      int tokens,
      float[] scratch,
      int xAt) {
    int spans = width / SPAN;
    int spanFloats = tokens * RoundedInputs.FLOATS;
    int steps = QuantPanels.STEPS_AT + row;
    int lowsAt = QuantPanels.LOWS_AT + row;
    boolean unpacked = tokens >= FEW;
    if (unpacked) {
      for (int span = 0; span < spans; span++) {
        long offset = (long) span * layout.spanStride();
        IntegerTiles.unpack(
            packed, aAt + offset, bAt + offset, scratch, NUMBERS_AT + span * SPAN * PAIR);
      }
    }
    for (int t = 0; t < tokens; ) {
      int count = tile(tokens - t);
      int sumsAt = SUMS_AT + t * STRIDE + row;
      int x = xAt + t * RoundedInputs.FLOATS;
      if (count == 1) {
        IntegerTiles.one(
            packed,
            aAt,
            bAt,
            layout.spanStride(),
            spans,
            lows,
            scratch,
            x,
            spanFloats,
            steps,
            lowsAt,
            sumsAt);
      } else {
        for (int span = 0; span < spans; span++) {
          int numbersAt = NUMBERS_AT + span * SPAN * PAIR;
          if (count == EIGHT) {
            IntegerTiles.eight(scratch, numbersAt, x, WHOLES_AT);
          } else {
            IntegerTiles.four(scratch, numbersAt, x, WHOLES_AT);
          }
          int grid = span * STRIDE;
          IntegerTiles.scale(
              scratch, WHOLES_AT, count, lows, x, steps + grid, lowsAt + grid, sumsAt);
          x += spanFloats;
        }
      }
      t += count;
    }
  }

  /** Tokens of the next tile. */
  private static int tile(int left) {
    if (left >= EIGHT && IntegerTiles.MANY_REGISTERS) {
      return EIGHT;
    }
    return left >= FEW ? FEW : 1;
  }
}
