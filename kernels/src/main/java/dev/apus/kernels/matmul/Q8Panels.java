package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import java.lang.foreign.MemorySegment;

/** Panels of {@link WeightFormat#Q8_0}: 32 scales, then four columns of a row in each word. */
final class Q8Panels extends ShiftPanels {

  private static final int ROWS = Matmul.PANEL_ROWS;
  private static final int WORDS_AT = 2 * ROWS;

  Q8Panels() {
    super(
        PanelLayout.of(
            WeightFormat.Q8_0, new PanelLayout.Units(0, 2, 1), new PanelLayout.Units(2, 4, 8)),
        false,
        -1);
  }

  @Override
  void steps(MemorySegment packed, long panelAt, int from, float[] scratch, int lane) {
    Halves.decode(packed, panelAt + layout().blockAt(from), 1, scratch, STEPS_AT + lane, 0);
  }

  @Override
  long wordsAt(int col) {
    return layout().blockAt(col) + WORDS_AT;
  }

  @Override
  int shift(int col) {
    return 0;
  }
}
