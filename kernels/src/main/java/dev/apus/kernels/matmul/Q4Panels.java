package dev.apus.kernels.matmul;

import dev.apus.kernels.block.WeightFormat;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/**
 * Panels of {@link WeightFormat#Q4_0}: 32 scales, then in each word four columns of a row, and in
 * its upper nibbles the four that are 16 further on.
 */
final class Q4Panels extends NibblePanels {

  private static final VectorSpecies<Float> F = Lanes.F32;
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
      Halves.decode(packed, at, scratch, STEPS_AT + grid);
      grids(scratch, STEPS_AT + grid, LOWS_AT + grid);
    }
  }

  /** Lows that stand for zero, exactly; a step that is not finite becomes NaN. */
  private static void grids(float[] scratch, int stepsAt, int lowsAt) {
    for (int row = 0; row < Matmul.PANEL_ROWS; row += F.length()) {
      FloatVector step = FloatVector.fromArray(F, scratch, stepsAt + row);
      step.add(step.sub(step)).intoArray(scratch, stepsAt + row);
      step.mul(-ZERO_Q).intoArray(scratch, lowsAt + row);
    }
  }

  @Override
  long wordsAt(int col) {
    return layout().blockAt(col) + WORDS_AT;
  }
}
