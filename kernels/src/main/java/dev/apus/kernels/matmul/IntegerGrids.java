package dev.apus.kernels.matmul;

import dev.apus.kernels.block.NibbleCodec;
import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.VectorSpecies;

/** Decodes the steps and lows of {@link IntegerLayout} panels, whose nibbles are from −8 to 7. */
@FunctionalInterface
interface IntegerGrids {

  VectorSpecies<Float> F = Lanes.F32;
  int ROWS = Matmul.PANEL_ROWS;
  int STRIDE = Tiles.STRIDE;

  /**
   * Decodes those of some spans of a panel, {@link Tiles#STRIDE} floats from a span to the next.
   *
   * @param at where the group of columns begins, whose first spans they are
   * @param lowsAt where lows go, if the format has them
   */
  void decode(MemorySegment packed, long at, int spans, float[] scratch, int stepsAt, int lowsAt);

  /** One scale for each span; a step that is not finite becomes NaN. */
  static void q4(
      MemorySegment packed, long at, int spans, float[] scratch, int stepsAt, int lowsAt) {
    for (int span = 0; span < spans; span++) {
      int to = stepsAt + span * STRIDE;
      Halves.decode(packed, at + (long) span * Short.BYTES * ROWS, scratch, to);
      for (int row = 0; row < ROWS; row += F.length()) {
        FloatVector step = FloatVector.fromArray(F, scratch, to + row);
        step.add(step.sub(step)).intoArray(scratch, to + row);
      }
    }
  }

  /** The grids of a block of Q4_K, whose nibbles are from 0 to 15. */
  static void q4k(
      MemorySegment packed, long at, int spans, float[] scratch, int stepsAt, int lowsAt) {
    KGrids.scales(packed, at, scratch);
    for (int half = 0; half < 2; half++) {
      int apart = half * spans / 2 * STRIDE;
      KGrids.grids(packed, at, half, NibbleCodec.ZERO, scratch, stepsAt + apart, lowsAt + apart);
    }
  }
}
