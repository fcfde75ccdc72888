package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;

/**
 * Panels of {@link WeightFormat#Q4_K}: the grids, then for every 64 columns eight words of a row,
 * four columns in the lower nibbles of each, and the four that are 32 further on in the upper.
 */
final class Q4kPanels extends NibblePanels {

  private static final int BLOCK = 256;
  private static final int PAIR = 2 * GROUP;
  private static final int WORDS = GROUP / WORD_COLUMNS;
  private static final int PAIR_BYTES = PAIR / 2 * Matmul.PANEL_ROWS;

  Q4kPanels() {
    super(
        PanelLayout.of(
            WeightFormat.Q4_K, new PanelLayout.Units(0, 2, 2), new PanelLayout.Units(4, 4, 35)),
        COLUMNS,
        WORDS,
        PAIR_BYTES);
  }

  @Override
  void steps(MemorySegment packed, long panelAt, int from, int width, float[] scratch, int lane) {
    int half = from / COLUMNS % 2;
    KGrids.decode(
        packed, panelAt + layout().blockAt(from), half, scratch, STEPS_AT + lane, LOWS_AT + lane);
  }

  @Override
  long wordsAt(int col) {
    return layout().blockAt(col) + KGrids.BYTES + (long) (col % BLOCK / PAIR) * PAIR_BYTES;
  }
}
