package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;

/**
 * Panels of {@link WeightFormat#Q5_K}: the grids, eight words of a row with the fifth bits of all
 * columns, then nibbles as in Q4_K.
 */
final class Q5kPanels extends SplitPanels {

  private static final int BLOCK = 256;
  private static final int FIFTH_BITS_AT = KGrids.BYTES;
  private static final int NIBBLES_AT = FIFTH_BITS_AT + RUN_BYTES;

  Q5kPanels() {
    super(
        PanelLayout.of(
            WeightFormat.Q5_K, new PanelLayout.Units(0, 2, 2), new PanelLayout.Units(4, 4, 43)),
        GROUP,
        1);
  }

  @Override
  void steps(MemorySegment packed, long panelAt, int from, int width, float[] scratch, int lane) {
    int half = from / COLUMNS % 2;
    KGrids.decode(
        packed, panelAt + layout().blockAt(from), half, scratch, STEPS_AT + lane, LOWS_AT + lane);
  }

  @Override
  long lowerAt(int col) {
    return layout().blockAt(col) + NIBBLES_AT + (long) (col % BLOCK / (2 * GROUP)) * RUN_BYTES;
  }

  @Override
  long upperAt(int col) {
    return layout().blockAt(col) + FIFTH_BITS_AT;
  }

  @Override
  int turn(int col) {
    return 4 - col % BLOCK / GROUP;
  }
}
