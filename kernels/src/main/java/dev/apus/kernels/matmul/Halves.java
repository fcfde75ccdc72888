package dev.apus.kernels.matmul;

import static jdk.incubator.vector.VectorOperators.LSHL;
import static jdk.incubator.vector.VectorOperators.S2I;

import dev.apus.kernels.math.Lanes;
import java.lang.foreign.MemorySegment;
import java.nio.ByteOrder;
import jdk.incubator.vector.FloatVector;
import jdk.incubator.vector.IntVector;
import jdk.incubator.vector.ShortVector;
import jdk.incubator.vector.VectorSpecies;

/** IEEE half precision to float, for every bit pattern; the Vector API has no such conversion. */
final class Halves {

  private static final VectorSpecies<Float> F = Lanes.F32;
  private static final VectorSpecies<Integer> I = Lanes.I32;
  private static final VectorSpecies<Short> S = Lanes.I16;

  private static final int MAGNITUDE = 0x7fff;
  private static final int SIGN = 0x80000000;

  /** Bits of an exponent's place that a float has more than a half. */
  private static final int PLACES = 13;

  /**
   * Added to the exponent, brings the largest one of a half, which stands for infinity and NaN, to
   * that of a float. All others become 2¹¹² times too large.
   */
  private static final int REBIAS = 224 << 23;

  private Halves() {}

  /** Decodes one half for each row of a panel. */
  static void decode(MemorySegment packed, long at, float[] floats, int floatsAt) {
    for (int i = 0; i < Matmul.PANEL_ROWS; i += F.length()) {
      IntVector half =
          (IntVector)
              ShortVector.fromMemorySegment(S, packed, at + 2L * i, ByteOrder.LITTLE_ENDIAN)
                  .convertShape(S2I, I, 0);
      IntVector large = half.and(MAGNITUDE).lanewise(LSHL, PLACES).add(REBIAS);
      // What an exponent of zero stands for, and only then the smaller of the two: floats without a
      // sign are ordered like their bits.
      IntVector subnormal = large.reinterpretAsFloats().fma(2, -0x1p98f).reinterpretAsInts();
      large
          .min(subnormal)
          .reinterpretAsFloats()
          .mul(0x1p-112f)
          .reinterpretAsInts()
          .or(half.and(SIGN))
          .reinterpretAsFloats()
          .intoArray(floats, floatsAt + i);
    }
  }

  /**
   * Decodes one half for each row of a panel to a step, and to a low that stands for zero, exactly;
   * the low is NaN where the half is not finite, and the step then means nothing.
   *
   * <p>Takes fewer operations than to decode any half, each of which waits for the one before: at a
   * block's beginning processors have little else to do. A half that is not finite comes out as a
   * number so large that it overflows when it is multiplied again.
   *
   * @param zero a power of two: how many steps zero is above the low
   */
  static void grid(
      MemorySegment packed, long at, int zero, float[] floats, int stepsAt, int lowsAt) {
    for (int i = 0; i < Matmul.PANEL_ROWS; i += F.length()) {
      FloatVector step =
          ((IntVector)
                  ShortVector.fromMemorySegment(S, packed, at + 2L * i, ByteOrder.LITTLE_ENDIAN)
                      .convertShape(S2I, I, 0))
              .lanewise(LSHL, PLACES)
              .and(SIGN | MAGNITUDE << PLACES)
              .reinterpretAsFloats()
              .mul(0x1p112f);
      FloatVector large = step.mul(0x1p112f);
      step.intoArray(floats, stepsAt + i);
      step.mul(-zero).add(large.sub(large)).intoArray(floats, lowsAt + i);
    }
  }
}
