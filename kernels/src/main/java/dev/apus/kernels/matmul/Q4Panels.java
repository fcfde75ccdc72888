package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;

/**
 * Panels of {@link WeightFormat#Q4_0}: 32 scales, then in each word four columns of a row, and in
 * its upper nibbles the four that are 16 further on.
 */
final class Q4Panels extends NibblePanels {

  private static final int BLOCK = 32;
  private static final int BLOCK_BYTES = 18 * Matmul.PANEL_ROWS;
  private static final int WORDS = 4;
  private static final int WORDS_AT = 2 * Matmul.PANEL_ROWS;
  private static final int ZERO_Q = 8;

  Q4Panels() {
    super(
        PanelLayout.of(
            WeightFormat.Q4_0, new PanelLayout.Units(0, 2, 1), new PanelLayout.Units(2, 4, WORDS)),
        BLOCK,
        WORDS,
        BLOCK_BYTES);
  }

  @Override
  void steps(MemorySegment packed, long panelAt, int from, int width, float[] scratch, int lane) {
    for (int k = 0; k < width; k += BLOCK) {
      long at = panelAt + layout().blockAt(from + k);
      int grid = k / BLOCK * Tiles.STRIDE + lane;
      Halves.grid(packed, at, ZERO_Q, scratch, STEPS_AT + grid, LOWS_AT + grid);
    }
  }

  @Override
  long wordsAt(int col) {
    return layout().blockAt(col) + WORDS_AT;
  }
}
