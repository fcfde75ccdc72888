package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;
import jdk.incubator.vector.VectorSpecies;

/**
 * {@link Matmul} of {@link Products#INTEGER} with the Vector API: products of whole numbers of 16
 * bits, twice as many in a vector as of floats.
 *
 * <p>Lanes are output rows. A span's numbers times weights are summed in parts, for which {@link
 * IntegerNumbers} says how many columns have sums that 16 bits hold: 32 times nibbles from −8 to 7
 * are at most 32 · 8 · 127.
 */
final class VectorIntegerMatmul implements RoundingMatmul {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final int L = F.length();
  private static final int STRIDE = Tiles.STRIDE;
  private static final int PANELS = STRIDE / PANEL_ROWS;
  private static final int HALF = IntegerTiles.HALF;
  private static final int PAIR = IntegerTiles.PAIR;
  private static final int SPAN = RoundedInputs.SPAN;
  private static final int GROUP = IntegerLayout.GROUP;
  private static final int TILE = IntegerTiles.TILE;
  private static final int TOKENS = VectorRounding.TOKENS;

  /** Pairs of panels that are worked on together if there are registers and tokens for them. */
  private static final int PAIRS = 2;

  /** Columns whose numbers are unpacked at a time: they stay in the first-level cache. */
  private static final int UNPACKED = 2 * SPAN;

  /** Steps of both pairs, and their lows; a tile of one span reads those of the next, too. */
  private static final int STEPS_AT = QuantPanels.STEPS_AT;

  /** Of a panel's group, if only 16 columns share a step. */
  private static final int GRID = GROUP / 16 * STRIDE;

  private static final int LOWS_AT = STEPS_AT + PAIRS * GRID + STRIDE;

  /** Unpacked numbers of the columns, two or four vectors for each. */
  private static final int NUMBERS_AT = LOWS_AT + PAIRS * GRID + STRIDE;

  /** Sums of a tile in whole numbers: of the parts of these columns, with 8 or more columns. */
  private static final int WHOLES_AT = NUMBERS_AT + UNPACKED * PAIRS * PAIR;

  private static final int SUMS_AT = WHOLES_AT + UNPACKED / 8 * TILE * PAIRS * PAIR;

  private final IntegerGrids grids;
  private final IntegerLayout layout;
  private final IntegerNumbers numbers;

  VectorIntegerMatmul(IntegerGrids grids, IntegerLayout layout, IntegerNumbers numbers) {
    this.grids = grids;
    this.layout = layout;
    this.numbers = numbers;
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
  public Rounding rounding() {
    return numbers.rounding();
  }

  @Override
  public int roundedScratchFloats(int cols, int tokens) {
    return SUMS_AT + VectorRounding.padded(Math.min(tokens, TOKENS)) * PAIRS * STRIDE;
  }

  @Override
  public void multiplyRounded(
      MemorySegment packed,
      int rows,
      int cols,
      int fromPanel,
      int toPanel,
      float[] rounded,
      int roundedAt,
      int tokens,
      float[] y,
      int yAt,
      int yStride,
      float[] scratch) {
    IntegerNumbers.Alone alone = numbers.alone(cols, tokens, roundedAt);
    for (int first = 0; first < tokens; first += TOKENS) {
      int count = Math.min(TOKENS, tokens - first);
      int xAt = roundedAt + VectorRounding.blockAt(cols, first);
      int yFrom = yAt + first * yStride;
      // One of the last four may be missing: three cost as much as two pairs.
      boolean wide = IntegerTiles.MANY_REGISTERS && count >= VectorRounding.FEW;
      int quads = wide ? (toPanel - fromPanel + 1) / (PAIRS * PANELS) : 0;
      int left = Math.min(toPanel, fromPanel + quads * PAIRS * PANELS);
      int apart = Math.ceilDiv(toPanel - left, PANELS);
      for (int i = 0; i < quads + apart; i++) {
        Group group =
            i < quads
                ? new Group(fromPanel + i, quads, PAIRS, toPanel)
                : new Group(left + i - quads, apart, 1, toPanel);
        group(packed, rows, cols, group, rounded, xAt, count, alone, y, yFrom, yStride, scratch);
      }
    }
  }

  /**
   * Pairs of panels that are worked on together.
   *
   * @param apart from a panel to the next; what would be past the end is the last one again, and
   *     what becomes of its sums does not matter
   */
  private record Group(int first, int apart, int pairs, int toPanel) {

    int panel(int pair, int ofPair) {
      return first + (pair * PANELS + ofPair) * apart;
    }
  }

  /** All outputs of a group. */
  private void group(
      MemorySegment packed,
      int rows,
      int cols,
      Group group,
      float[] x,
      int xAt,
      int tokens,
      IntegerNumbers.Alone alone,
      float[] y,
      int yAt,
      int yStride,
      float[] scratch) {
    int pairs = group.pairs;
    int room = VectorRounding.padded(tokens);
    long[] at = new long[2 * pairs];
    for (int i = 0; i < at.length; i++) {
      int panel = group.panel(i / 2, i % 2 * (PANELS - 1));
      at[i] = Math.min(panel, group.toPanel - 1) * panelBytes(cols);
    }
    Arrays.fill(scratch, SUMS_AT, SUMS_AT + pairs * room * STRIDE, 0);
    sum(packed, at, pairs, cols, x, xAt, room, alone, scratch);
    for (int pair = 0; pair < pairs; pair++) {
      for (int i = 0; i < PANELS; i++) {
        int panel = group.panel(pair, i);
        if (panel < group.toPanel) {
          int sumsAt = SUMS_AT + pair * room * STRIDE + i * PANEL_ROWS;
          VectorMatmul.copy(scratch, sumsAt, panel * PANEL_ROWS, rows, y, yAt, yStride, tokens);
        }
      }
    }
  }

  private void sum(
      MemorySegment packed,
      long[] at,
      int pairs,
      int cols,
      float[] x,
      int xAt,
      int tokens,
      IntegerNumbers.Alone alone,
      float[] scratch) {
    int spanFloats = tokens * RoundedInputs.FLOATS;
    for (int from = 0; from < cols; from += GROUP) {
      int width = Math.min(GROUP, cols - from);
      long group = layout.groupAt(from);
      for (int i = 0; i < pairs * PANELS; i++) {
        int grid = i / PANELS * GRID + i % PANELS * PANEL_ROWS;
        grids.decode(
            packed,
            at[i * 2 / PANELS] + group,
            width / SPAN,
            scratch,
            STEPS_AT + grid,
            LOWS_AT + grid);
      }
      long quants = group + layout.quantsAt(width);
      int aloneAt = alone.at() + from / SPAN * alone.spanStride();
      tiles(packed, at, pairs, quants, width, x, xAt, tokens, alone, aloneAt, scratch);
      xAt += width / SPAN * spanFloats;
    }
  }

  private void tiles(
      MemorySegment packed,
      long[] at,
      int pairs,
      long quantsAt,
      int width,
      float[] x,
      int xAt,
      int tokens,
      IntegerNumbers.Alone alone,
      int aloneAt,
      float[] scratch) {
    int tiled = tokens - tokens % TILE;
    int spanFloats = tokens * RoundedInputs.FLOATS;
    for (int lane = 0; lane < PANELS * HALF; lane += PAIR) {
      long offset = quantsAt + 4L * (lane % HALF);
      for (int done = 0; done < width && tiled > 0; done += UNPACKED) {
        int span = done / SPAN;
        int spans = Math.min(UNPACKED, width - done) / SPAN;
        unpack(packed, at, pairs, offset + span * numbers.spanBytes(), spans, scratch);
        for (int t = 0; t < tiled; t += TILE) {
          int tileAt = xAt + span * spanFloats + t * RoundedInputs.FLOATS;
          int sumsAt = SUMS_AT + t * STRIDE + lane;
          int grid = done / numbers.stepColumns() * STRIDE + lane;
          tile(pairs, spans, x, tileAt, tokens, scratch, grid, sumsAt);
        }
      }
      for (int pair = 0; pair < pairs; pair++) {
        for (int t = tiled; t < tokens; t++) {
          numbers.one(
              packed,
              at[2 * pair] + offset,
              bAt(at, pair) + offset,
              width / SPAN,
              scratch,
              x,
              aloneAt + (t - tiled) * alone.stride(),
              alone.spanStride(),
              STEPS_AT + pair * GRID + lane,
              LOWS_AT + pair * GRID + lane,
              SUMS_AT + (pair * tokens + t) * STRIDE + lane);
        }
      }
    }
  }

  /** The numbers of one or two spans. */
  private void unpack(
      MemorySegment packed, long[] at, int pairs, long offset, int spans, float[] scratch) {
    int stride = pairs * PAIR;
    for (int span = 0; span < spans; span++) {
      for (int pair = 0; pair < pairs; pair++) {
        long spanAt = offset + span * numbers.spanBytes();
        int to = NUMBERS_AT + span * SPAN * stride + pair * PAIR;
        numbers.unpack(packed, at[2 * pair] + spanAt, bAt(at, pair) + spanAt, scratch, to, stride);
      }
    }
  }

  /** Extends the sums of a tile by one or two spans. */
  private void tile(
      int pairs, int spans, float[] x, int xAt, int tokens, float[] scratch, int grid, int sumsAt) {
    int stride = pairs * PAIR;
    int spanFloats = tokens * RoundedInputs.FLOATS;
    int columns = numbers.partColumns();
    for (int col = 0; col < spans * SPAN; col += columns) {
      int numbersAt = NUMBERS_AT + col * stride;
      int wholesAt = WHOLES_AT + col / columns * TILE * stride;
      int spanAt = xAt + col / SPAN * spanFloats;
      int from = spanAt + col % SPAN;
      int start = spanAt + numbers.start();
      if (pairs == 1) {
        IntegerTiles.four(scratch, numbersAt, columns, x, from, start, wholesAt);
      } else {
        IntegerTiles.fourWide(scratch, numbersAt, columns, x, from, start, wholesAt);
      }
    }
    for (int pair = 0; pair < pairs; pair++) {
      numbers.scale(
          scratch,
          WHOLES_AT + pair * PAIR,
          stride,
          spans,
          x,
          xAt,
          spanFloats,
          STEPS_AT + pair * GRID + grid,
          LOWS_AT + pair * GRID + grid,
          sumsAt + pair * tokens * STRIDE);
    }
  }

  /** Where vector b of a pair of panels begins whose a begins at the first of them. */
  private static long bAt(long[] at, int pair) {
    return L < HALF ? at[2 * pair] + 4L * L : at[2 * pair + 1];
  }
}
