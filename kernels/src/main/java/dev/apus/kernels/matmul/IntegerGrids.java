package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.ASHR;
import static jdk.incubator.vector.VectorOperators.I2F;
import static jdk.incubator.vector.VectorOperators.LSHL;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.VectorSpecies;

/** Decodes the steps and lows of {@link IntegerLayout} panels, whose numbers have signs. */
@FunctionalInterface
interface IntegerGrids {

  VectorSpecies<Float> F = Lanes.F32;
  VectorSpecies<Integer> I = Lanes.I32;
  int ROWS = Matmul.PANEL_ROWS;
  int STRIDE = Tiles.STRIDE;

  /**
   * Decodes those of some spans of a panel, {@link Tiles#STRIDE} floats from a step to the next.
   *
   * @param at where the group of columns begins, whose first spans they are
   * @param lowsAt where lows go, if the format has them
   */
  void decode(MemorySegment packed, long at, int spans, float[] scratch, int stepsAt, int lowsAt);

  /** One scale for each span; a step that is not finite becomes NaN. */
  static void q4(
      MemorySegment packed, long at, int spans, float[] scratch, int stepsAt, int lowsAt) {
    FloatVector perWhole = FloatVector.broadcast(F, RoundedInputs.PER_WHOLE);
    for (int span = 0; span < spans; span++) {
      int to = stepsAt + span * STRIDE;
      Halves.decode(packed, at + (long) span * Short.BYTES * ROWS, scratch, to);
      for (int row = 0; row < ROWS; row += F.length()) {
        FloatVector step = FloatVector.fromArray(F, scratch, to + row);
        step.fma(perWhole, step.sub(step)).intoArray(scratch, to + row);
      }
    }
  }

  /** The grids of a block of Q4_K, whose nibbles are from 0 to 15. */
  static void q4k(
      MemorySegment packed, long at, int spans, float[] scratch, int stepsAt, int lowsAt) {
    k(packed, at, NibbleFilling.ZERO, RoundedInputs.PER_WHOLE, scratch, stepsAt, lowsAt);
  }

  /** The grids of a block of Q5_K, whose quants are from 0 to 31. */
  static void q5k(
      MemorySegment packed, long at, int spans, float[] scratch, int stepsAt, int lowsAt) {
    k(packed, at, Fields.FIVE.zero(), 1, scratch, stepsAt, lowsAt);
  }

  private static void k(
      MemorySegment packed,
      long at,
      int zero,
      float times,
      float[] scratch,
      int stepsAt,
      int lowsAt) {
    KGrids.scales(packed, at, scratch);
    for (int half = 0; half < 2; half++) {
      int apart = half * 4 * STRIDE;
      KGrids.grids(packed, at, half, zero, times, scratch, stepsAt + apart, lowsAt + apart);
    }
  }

  /** One power of two for each span, halved; NaN where six times of it is no float. */
  static void mxfp4(
      MemorySegment packed, long at, int spans, float[] scratch, int stepsAt, int lowsAt) {
    for (int span = 0; span < spans; span++) {
      int to = stepsAt + span * STRIDE;
      for (int row = 0; row < ROWS; row += F.length()) {
        FloatVector step = Mxfp4Panels.step(packed, at, row);
        FloatVector largest = step.mul(Fields.CODES.zero());
        step.add(largest.sub(largest)).intoArray(scratch, to + row);
      }
      at += ROWS;
    }
  }

  /** The steps of a block of Q6_K, NaN if its scale is not finite: 32 halves, then the numbers. */
  static void q6k(
      MemorySegment packed, long at, int spans, float[] scratch, int stepsAt, int lowsAt) {
    Halves.decode(packed, at, scratch, QuantPanels.SCALES_AT);
    for (int row = 0; row < ROWS; row += F.length()) {
      FloatVector scale = FloatVector.fromArray(F, scratch, QuantPanels.SCALES_AT + row);
      scale = scale.add(scale.sub(scale));
      for (int word = 0; word < 4; word++) {
        IntVector numbers =
            IntVector.fromMemorySegment(
                I,
                packed,
                at + Short.BYTES * ROWS + 4L * (word * ROWS + row),
                ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < 4; i++) {
          FloatVector number =
              (FloatVector)
                  numbers.lanewise(LSHL, 24 - 8 * i).lanewise(ASHR, 24).convertShape(I2F, F, 0);
          scale.mul(number).intoArray(scratch, stepsAt + (4 * word + i) * STRIDE + row);
        }
      }
    }
  }
}
